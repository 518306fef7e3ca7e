package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.common.error.RefusalException;
import dev.sluice.router.edge.Fields;
import java.io.IOException;

/** Requests as JSON, and errors. Threading: no state but Jackson's, which is thread-safe. */
final class Json {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private Json() {}

  /**
   * The one object of a request.
   *
   * @throws RefusalException if it is not one; says where, but not what stands there
   */
  static Fields object(byte[] body) {
    JsonNode root;
    try {
      root = MAPPER.readTree(body);
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      throw RefusalException.invalid(
          "body",
          "no JSON at line "
              + at.getLineNr()
              + ", column "
              + at.getColumnNr()
              + " (expected: one JSON object)");
    } catch (IOException e) {
      throw RefusalException.invalid("body", "cannot be read (expected: one JSON object)");
    }
    if (root instanceof ObjectNode object) {
      return new Fields(object);
    }
    throw RefusalException.invalid(
        "body", (body.length == 0 ? "empty" : "no object") + " (expected: one JSON object)");
  }

  /** OpenAI's shape of an error. */
  static void error(JsonGenerator out, ApiError error) throws IOException {
    out.writeStartObject();
    out.writeObjectFieldStart("error");
    out.writeStringField("message", error.message());
    out.writeStringField("type", error.type());
    out.writeStringField("param", error.param().orElse(null));
    out.writeStringField("code", error.code().orElse(null));
    out.writeEndObject();
    out.writeEndObject();
  }
}
