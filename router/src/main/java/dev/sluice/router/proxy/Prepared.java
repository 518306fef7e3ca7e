package dev.sluice.router.proxy;

import dev.sluice.router.policy.Affinity;
import dev.sluice.router.prompt.TokenizedPrompt;
import dev.sluice.v1.Resume;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A request that was validated and completed, before it is sent anywhere.
 *
 * @param requestId the caller's or a made-up one
 * @param model id or alias; empty for the only one served
 * @param seed chosen here once for all attempts; empty if the request has its own or needs none
 * @param streamsTokens whether tokens are sent as they are made, so that silence means something
 * @param affinity what ties the request to others
 * @param promptTokens length of the prompt: exact if {@code tokens} are known, else estimated; 0 if
 *     nothing is generated
 * @param tokens the prompt's tokens; empty if they could not be had
 * @param resume of a stream that a client began at another router: what it has
 */
record Prepared<R>(
    R request,
    String requestId,
    String model,
    OptionalLong seed,
    boolean streamsTokens,
    Affinity affinity,
    int promptTokens,
    Optional<TokenizedPrompt> tokens,
    Optional<Resume> resume) {}
