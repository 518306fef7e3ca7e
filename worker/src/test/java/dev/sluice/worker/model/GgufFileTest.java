package dev.sluice.worker.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GgufFileTest {
  @TempDir Path folder;

  @Test
  void readsMetadataOfEveryType() {
    Path path =
        new GgufWriter()
            .put("u8", 0, new byte[] {(byte) 200})
            .put("i8", 1, new byte[] {(byte) 200})
            .put("u16", 2, new byte[] {(byte) 0xFF, (byte) 0xFF})
            .put("i16", 3, new byte[] {(byte) 0xFF, (byte) 0xFF})
            .put("u32", 4, GgufWriter.int32(-1))
            .put("i32", 5, GgufWriter.int32(-1))
            .put("f32", 6, GgufWriter.int32(Float.floatToIntBits(1.5f)))
            .put("bool", 7, new byte[] {1})
            .put("text", 8, GgufWriter.string("Größe"))
            .put("u64", 10, GgufWriter.int64(1L << 40))
            .put("i64", 11, GgufWriter.int64(-5))
            .put("f64", 12, GgufWriter.int64(Double.doubleToLongBits(2.5)))
            .texts("texts", List.of("a", "", "c"))
            .int32s("int32s", 7, -7)
            .write(folder.resolve("metadata.gguf"));
    try (GgufFile file = GgufFile.open(path)) {
      GgufMetadata metadata = file.metadata();
      assertThat(metadata.whole("u8", 0, 255)).isEqualTo(200);
      assertThat(metadata.whole("i8", -128, 127)).isEqualTo(-56);
      assertThat(metadata.whole("u16", 0, 1 << 16)).isEqualTo(0xFFFF);
      assertThat(metadata.whole("i16", -1, -1)).isEqualTo(-1);
      assertThat(metadata.whole("u32", 0, 1L << 32)).isEqualTo(0xFFFF_FFFFL);
      assertThat(metadata.whole("i32", -1, -1)).isEqualTo(-1);
      assertThat(metadata.positive("f32")).isEqualTo(1.5);
      assertThat(metadata.flag("bool", false)).isTrue();
      assertThat(metadata.text("text")).isEqualTo("Größe");
      assertThat(metadata.whole("u64", 0, Long.MAX_VALUE)).isEqualTo(1L << 40);
      assertThat(metadata.whole("i64", -5, -5)).isEqualTo(-5);
      assertThat(metadata.positive("f64")).isEqualTo(2.5);
      assertThat(metadata.texts("texts", 3)).containsExactly("a", "", "c");
      assertThat(metadata.wholes("int32s", 2)).containsExactly(7, -7);
      assertThatThrownBy(() -> metadata.texts("texts", 2))
          .isInstanceOf(ModelFileException.class)
          .hasMessage(
              path
                  + ": metadata texts: a list of 3 STRING"
                  + " (expected: a list of at most 2 texts)");
      assertThatThrownBy(() -> metadata.wholes("texts", 3))
          .isInstanceOf(ModelFileException.class)
          .hasMessage(path + ": metadata texts: STRING (expected: a whole number)");
    }
  }

  @Test
  void placesTensors() {
    Path path =
        new GgufWriter()
            .tensor("one", GgmlType.Q8_0, new byte[3 * 2 * 34], 3, 64)
            .floats("two", new float[] {1, 2, 3}, 3)
            .write(folder.resolve("tensors.gguf"));
    try (GgufFile file = GgufFile.open(path)) {
      GgufTensor one = tensor(file, "one");
      assertThat(one.shape()).containsExactly(3L, 64L);
      assertThat(one.rows()).isEqualTo(3);
      assertThat(one.columns()).isEqualTo(64);
      assertThat(one.rowBytes()).isEqualTo(68);
      GgufTensor two = tensor(file, "two");
      assertThat(two.offset() - one.offset()).isEqualTo(224); // 204 bytes, padded to 32
      assertThat(two.elements()).isEqualTo(3);
    }
  }

  static Stream<Arguments> unsound() {
    byte[] four = new byte[16];
    return Stream.of(
        unsound("nothing", new byte[0], "magic number: cut off at byte 0"),
        unsound("another magic number", withMagic(0x04034b50), "begins with 0x04034b50"),
        unsound("version 1", withVersion(1), "GGUF version 1 (expected: 2 or 3"),
        unsound("big-endian", withVersion(3 << 24), "GGUF version 50331648 (expected: 2 or 3"),
        unsound(
            "absurd number of tensors",
            counts(-1, 0),
            "number of tensors: 18446744073709551615 (expected: at most 0, as 8 bytes are left)"),
        unsound(
            "absurd number of entries", counts(0, Long.MAX_VALUE), "number of metadata entries"),
        unsound(
            "absurd length of a text",
            new GgufWriter().put("k", 8, GgufWriter.int64(1L << 62)).toBytes(),
            "metadata k: length: 4611686018427387904"),
        unsound(
            "absurd length of a list",
            new GgufWriter()
                .put("k", 9, GgufWriter.join(GgufWriter.int32(10), GgufWriter.int64(1L << 61)))
                .toBytes(),
            "metadata k: array length: 2305843009213693952"),
        unsound(
            "list of lists",
            new GgufWriter()
                .put("k", 9, GgufWriter.join(GgufWriter.int32(9), GgufWriter.int64(1)))
                .toBytes(),
            "metadata k: an array of arrays"),
        unsound(
            "unknown type of a value",
            new GgufWriter().put("k", 13, four).toBytes(),
            "metadata k: type number 13 (expected: 0 to 12)"),
        unsound(
            "alignment",
            new GgufWriter().uint32("general.alignment", 24).toBytes(),
            "general.alignment: 24 (expected: a power of two)"),
        unsound(
            "unknown type of a tensor",
            new GgufWriter().tensorAt(0, "t", 10, four, 4).toBytes(),
            "tensor t: type Q2_K (number 10) (expected: F32, F16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0,"
                + " Q4_K, Q5_K, Q6_K, BF16)"),
        unsound(
            "type of a tensor from the future",
            new GgufWriter().tensorAt(0, "t", 1000, four, 4).toBytes(),
            "tensor t: type unknown (number 1000)"),
        unsound(
            "no dimensions",
            new GgufWriter().tensorAt(0, "t", 0, four).toBytes(),
            "tensor t: 0 dimensions (expected: 1 to 4)"),
        unsound(
            "five dimensions",
            new GgufWriter().tensorAt(0, "t", 0, four, 1, 1, 1, 1, 4).toBytes(),
            "tensor t: 5 dimensions (expected: 1 to 4)"),
        unsound(
            "empty dimension",
            new GgufWriter().tensorAt(0, "t", 0, four, 0, 4).toBytes(),
            "tensor t: shape [0, 4]"),
        unsound(
            "product of dimensions overflows",
            new GgufWriter().tensorAt(0, "t", 0, four, 1L << 32, 1L << 32).toBytes(),
            "tensor t: shape [4294967296, 4294967296]"),
        unsound(
            "size in bytes overflows",
            new GgufWriter().tensorAt(0, "t", 0, four, 1L << 31, 1L << 31).toBytes(),
            "tensor t: shape [2147483648, 2147483648] (expected: fewer than 2^63 bytes)"),
        unsound(
            "broken block",
            new GgufWriter().tensorAt(0, "t", 8, new byte[34], 16).toBytes(),
            "tensor t: shape [16] (expected: for Q8_0, rows of a multiple of 32 elements)"),
        unsound(
            "offset behind the end",
            new GgufWriter().tensorAt(64, "t", 0, four, 4).toBytes(),
            "tensor t: 16 bytes at offset 64 (expected: inside the file's 32 bytes of data)"),
        unsound(
            "offset below zero",
            new GgufWriter().tensorAt(-32, "t", 0, four, 4).toBytes(),
            "tensor t: 16 bytes at offset 18446744073709551584"),
        unsound(
            "offset not aligned",
            new GgufWriter().tensorAt(4, "t", 0, four, 4).toBytes(),
            "tensor t: offset 4 (expected: a multiple of 32)"),
        unsound(
            "data cut off",
            new GgufWriter().tensorAt(0, "t", 0, four, 4).header(),
            "tensor t: 16 bytes at offset 0 (expected: inside the file's 0 bytes of data)"),
        unsound(
            "tensor listed twice",
            new GgufWriter().tensorAt(0, "t", 0, four, 4).tensorAt(0, "t", 0, four, 4).toBytes(),
            "tensor t: listed twice"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("unsound")
  void refuses(String name, byte[] content, String message) throws Exception {
    Path path = Files.write(folder.resolve("unsound.gguf"), content);
    assertThatThrownBy(() -> GgufFile.open(path))
        .isInstanceOf(ModelFileException.class)
        .hasMessageStartingWith(path + ": ")
        .hasMessageContaining(message);
  }

  @Test
  void refusesAFileThatIsNotThere() {
    Path path = folder.resolve("missing.gguf");
    assertThatThrownBy(() -> GgufFile.open(path))
        .isInstanceOf(ModelFileException.class)
        .hasMessage(path + ": no such file (expected: a GGUF file)");
  }

  private static GgufTensor tensor(GgufFile file, String name) {
    return Objects.requireNonNull(file.tensors().get(name), name);
  }

  private static Arguments unsound(String name, byte[] content, String message) {
    return Arguments.of(name, content, message);
  }

  private static byte[] withMagic(int magic) {
    GgufWriter writer = new GgufWriter();
    writer.magic = magic;
    return writer.toBytes();
  }

  private static byte[] withVersion(int version) {
    GgufWriter writer = new GgufWriter();
    writer.version = version;
    return writer.toBytes();
  }

  private static byte[] counts(long tensors, long entries) {
    return GgufWriter.join(
        GgufWriter.int32(GgufFile.MAGIC),
        GgufWriter.int32(3),
        GgufWriter.int64(tensors),
        GgufWriter.int64(entries));
  }
}
