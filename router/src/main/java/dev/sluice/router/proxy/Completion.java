package dev.sluice.router.proxy;

import com.google.protobuf.ByteString;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import java.util.List;

/**
 * The message that completes an answer, as the client gets it.
 *
 * @param finished the end of the answer; empty where nothing is generated
 * @param finishReasons of the choices that are part of this message; a stream tells them before
 */
record Completion(ByteString message, Finished finished, List<FinishReason> finishReasons) {}
