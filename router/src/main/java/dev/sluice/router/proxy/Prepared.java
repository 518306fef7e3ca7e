package dev.sluice.router.proxy;

import java.util.OptionalLong;

/**
 * A request that was validated and completed, before it is sent anywhere.
 *
 * @param requestId the caller's or a made-up one
 * @param model id or alias; empty for the only one served
 * @param seed chosen here once for all attempts; empty if the request has its own or needs none
 */
record Prepared<R>(R request, String requestId, String model, OptionalLong seed) {}
