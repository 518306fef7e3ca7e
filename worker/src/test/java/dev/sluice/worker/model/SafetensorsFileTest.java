package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFileTest {
  private static final byte[] EIGHT = new byte[8];

  @TempDir Path folder;

  @Test
  void placesTensors() {
    SafetensorsWriter writer =
        new SafetensorsWriter()
            .entry("__metadata__", "{\"format\": \"pt\"}")
            .floats("one", new float[6], 2, 3)
            .tensor("other", "I64", EIGHT, 1)
            .halves("two", new float[4], 4);
    try (SafetensorsFile file =
        SafetensorsFile.open(writer.write(folder.resolve("model.safetensors")))) {
      assertThat(file.tensors()).containsOnlyKeys("one", "other", "two");
      SafetensorsTensor one = Objects.requireNonNull(file.tensors().get("one"));
      SafetensorsTensor two = Objects.requireNonNull(file.tensors().get("two"));
      assertThat(one.shape()).containsExactly(2L, 3L);
      assertThat(one.type()).contains(GgmlType.F32);
      assertThat(two.offset() - one.offset()).isEqualTo(24 + 8);
      assertThat(two.offset() + two.bytes()).isEqualTo(file.content().byteSize());
    }
  }

  static Stream<Arguments> unsound() {
    return Stream.of(
        unsound("nothing", new byte[0], "0 bytes (expected: at least 8, a safetensors file)"),
        unsound(
            "absurd length of the header",
            GgufWriter.join(GgufWriter.int64(1L << 62), EIGHT),
            "header of 4611686018427387904 bytes (expected: at most 8)"),
        unsound(
            "negative length of the header",
            GgufWriter.join(GgufWriter.int64(-1), EIGHT),
            "header of 18446744073709551615 bytes (expected: at most 8)"),
        unsound("no JSON", SafetensorsWriter.withHeader("{\"a\"", EIGHT), "header is not valid"),
        unsound("a list", SafetensorsWriter.withHeader("[]", EIGHT), "header: [ (expected: an obj"),
        unsound(
            "deep nesting",
            SafetensorsWriter.withHeader("{\"a\": {\"b\": " + "[".repeat(100_000), EIGHT),
            "header is not valid JSON"),
        unsound(
            "tensor listed twice",
            SafetensorsWriter.withHeader(
                """
                {"t": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
                 "t": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}\
                """,
                EIGHT),
            "Duplicate field 't'"),
        unsound(
            "no offsets",
            one("{\"dtype\": \"F32\", \"shape\": [2]}"),
            "tensor t: data_offsets missing (expected: dtype, shape and two data_offsets)"),
        unsound(
            "one offset",
            one("{\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0]}"),
            "tensor t: data_offsets missing"),
        unsound(
            "three offsets",
            one("{\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4, 8]}"),
            "tensor t: data_offsets: 8 (expected: a list of at most 2 whole numbers)"),
        unsound(
            "no type",
            one("{\"shape\": [2], \"data_offsets\": [0, 8]}"),
            "tensor t: dtype missing"),
        unsound(
            "type is a number",
            one("{\"dtype\": 4, \"shape\": [2], \"data_offsets\": [0, 8]}"),
            "tensor t: dtype: 4 (expected: a text)"),
        unsound(
            "dimension is a fraction",
            one("{\"dtype\": \"F32\", \"shape\": [2.5], \"data_offsets\": [0, 8]}"),
            "tensor t: shape: 2.5 (expected: a list of at most 8 whole numbers)"),
        unsound(
            "dimension below zero",
            one("{\"dtype\": \"F32\", \"shape\": [-2], \"data_offsets\": [0, 8]}"),
            "tensor t: shape: -2"),
        unsound(
            "dimension beyond 64 bits",
            one("{\"dtype\": \"F32\", \"shape\": [99999999999999999999], \"data_offsets\": [0,8]}"),
            "tensor t: shape: 99999999999999999999"),
        unsound(
            "product of dimensions overflows",
            one("{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4,2],\"data_offsets\":[0,8]}"),
            "tensor t: 8 bytes (expected: those of [4611686018427387904, 4, 2] in F32)"),
        unsound(
            "bytes do not fit the shape",
            one("{\"dtype\": \"F16\", \"shape\": [2], \"data_offsets\": [0, 8]}"),
            "tensor t: 8 bytes (expected: those of [2] in F16)"),
        unsound(
            "end before begin",
            one("{\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [8, 0]}"),
            "tensor t: data_offsets [8, 0] (expected: begin and end)"),
        unsound(
            "end behind the file",
            one("{\"dtype\": \"F32\", \"shape\": [3], \"data_offsets\": [0, 12]}"),
            "tensor t: 12 bytes at 0 of the data (expected: inside its 8 bytes)"),
        unsound(
            "gap before a tensor",
            one("{\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": [4, 8]}"),
            "tensor t: begins at byte 4 of the data (expected: 0, where another one ends)"),
        unsound(
            "overlapping tensors",
            SafetensorsWriter.withHeader(
                """
                {"t": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
                 "u": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}\
                """,
                EIGHT),
            "tensor u: begins at byte 4 of the data (expected: 8, where another one ends)"),
        unsound(
            "more data than tensors",
            new SafetensorsWriter().floats("t", new float[1], 1).tail(EIGHT).toBytes(),
            "12 bytes of data (expected: 4, where the last tensor ends)"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unsound")
  void refuses(String name, byte[] content, String message) throws Exception {
    Path path = Files.write(folder.resolve("unsound.safetensors"), content);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(message);
  }

  private static Arguments unsound(String name, byte[] content, String message) {
    return Arguments.of(name, content, message);
  }

  private static byte[] one(String entry) {
    return SafetensorsWriter.withHeader("{\"t\": " + entry + "}", EIGHT);
  }
}
