package dev.sluice.router.admission;

import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a request asks for, as far as it decides whether and when it is served.
 *
 * @param tenant on whose account it runs; at most 128 characters
 * @param priority -100 to 100, higher goes first
 * @param choices that are generated from the one prompt, at least 1
 * @param maxTokens most output tokens of a choice; empty if that is not said
 * @param ttftTarget time to first token that the caller can live with, above 0
 * @param goesOn whether the client has a part of the answer, from another router
 */
public record Demand(
    String tenant,
    int priority,
    int choices,
    OptionalInt maxTokens,
    Optional<Duration> ttftTarget,
    boolean goesOn) {}
