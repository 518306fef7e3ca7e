package dev.sluice.worker.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.worker.model.RotaryScaling;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Against NumPy: {@code src/test/python/rotary_tables.py}. */
class RotaryTableTest {
  private static final double TOLERANCE = 1e-6;

  static Stream<Arguments> cases() {
    try (InputStream in =
        Objects.requireNonNull(RotaryTableTest.class.getResourceAsStream("rotary_tables.json"))) {
      JsonNode cases = new ObjectMapper().readTree(in);
      return StreamSupport.stream(cases.spliterator(), false)
          .map(expected -> Arguments.of(scaling(expected), expected));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("cases")
  void agreesWithNumPy(RotaryScaling scaling, JsonNode expected) {
    int headSize = expected.get("head_size").asInt();
    int half = headSize / 2;
    JsonNode positions = expected.get("positions");
    int table = positions.get(positions.size() - 1).asInt() + 1;
    RotaryTable rotary =
        new RotaryTable(table, headSize, expected.get("theta").asDouble(), scaling);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cosine = arena.allocate(4L * table * half, 4);
      MemorySegment sine = arena.allocate(4L * table * half, 4);
      rotary.fill(cosine, sine);
      for (int p = 0; p < positions.size(); p++) {
        for (int i = 0; i < half; i++) {
          long at = positions.get(p).asLong() * half + i;
          String what = "position %d, frequency %d".formatted(positions.get(p).asInt(), i);
          assertThat((double) cosine.getAtIndex(ValueLayout.JAVA_FLOAT, at))
              .as(what)
              .isCloseTo(expected.get("cosine").get(p).get(i).asDouble(), within(TOLERANCE));
          assertThat((double) sine.getAtIndex(ValueLayout.JAVA_FLOAT, at))
              .as(what)
              .isCloseTo(expected.get("sine").get(p).get(i).asDouble(), within(TOLERANCE));
        }
      }
    }
  }

  private static RotaryScaling scaling(JsonNode expected) {
    JsonNode parameters = expected.get("parameters");
    double factor = parameters.path("factor").asDouble();
    int original = parameters.path("original").asInt();
    return switch (expected.get("kind").asText()) {
      case "none" -> new RotaryScaling.None();
      case "linear" -> new RotaryScaling.Linear(factor);
      case "llama3" ->
          new RotaryScaling.Llama3(
              factor,
              parameters.get("low").asDouble(),
              parameters.get("high").asDouble(),
              original);
      case "yarn" ->
          new RotaryScaling.Yarn(
              factor,
              original,
              parameters.get("fast").asDouble(),
              parameters.get("slow").asDouble(),
              expected.get("attention").asDouble(),
              parameters.get("whole").asBoolean());
      case "divisors" -> {
        List<Float> values = new ArrayList<>();
        parameters.get("divisors").forEach(value -> values.add((float) value.asDouble()));
        yield new RotaryScaling.Divisors(values);
      }
      default -> throw new IllegalArgumentException(expected.get("kind").asText());
    };
  }
}
