package dev.sluice.router.proxy;

import com.google.protobuf.ByteString;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import java.util.List;

/**
 * The message that completes an answer, as the client gets it.
 *
 * @param usage what the worker counted; all zero where nothing is generated
 * @param timings as the client gets them; all zero where nothing is generated
 * @param finishReasons of the choices that are part of this message; a stream tells them before
 */
record Completion(
    ByteString message, Usage usage, Timings timings, List<FinishReason> finishReasons) {}
