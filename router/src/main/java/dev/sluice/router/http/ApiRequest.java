package dev.sluice.router.http;

import dev.sluice.v1.GenerateRequest;
import java.util.List;

/**
 * A request to generate, translated.
 *
 * @param calls one for each prompt
 * @param reply what becomes of their answers
 */
record ApiRequest(List<GenerateRequest> calls, Reply reply) {
  ApiRequest {
    calls = List.copyOf(calls);
  }
}
