package dev.sluice.router.proxy;

import dev.sluice.router.prompt.TokenizedPrompt;
import dev.sluice.v1.Resume;
import java.util.Optional;

/**
 * What the router tells a worker beside the request.
 *
 * @param attempt number of this attempt, from 1
 * @param admissionWaitNanos from arrival to the first attempt
 * @param resume where the stream goes on; empty if it begins
 * @param tokens the prompt in this worker's tokens; empty if they are not known or the client sent
 *     them
 */
record Dispatch(
    int attempt,
    long admissionWaitNanos,
    Optional<Resume> resume,
    Optional<TokenizedPrompt> tokens) {}
