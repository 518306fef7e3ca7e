package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class GgmlTypeTest {
  /** Quantised and dequantised by the Python package {@code gguf}. */
  @Test
  void dequantizesAsGgufDoes() {
    JsonNode cases = Resources.json("ggml_types.json");
    assertThat(cases).hasSize(GgmlType.values().length);
    for (JsonNode expected : cases) {
      GgmlType type = GgmlType.valueOf(expected.get("type").asText());
      byte[] data = HexFormat.of().parseHex(expected.get("data").asText());
      float[] values = new float[expected.get("values").size()];
      assertThat(data.length / type.blockBytes * type.blockElements).isEqualTo(values.length);
      type.dequantize(data, data.length / type.blockBytes, values);
      for (int i = 0; i < values.length; i++) {
        assertThat(values[i])
            .as("%s[%d]", type, i)
            .isEqualTo((float) expected.get("values").get(i).asDouble());
      }
    }
  }
}
