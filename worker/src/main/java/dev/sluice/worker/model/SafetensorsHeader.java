package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The header of a safetensors file. Read as a stream, so that memory stays in proportion to the
 * tensors that are really listed.
 *
 * <p>Threading: used by one thread.
 */
final class SafetensorsHeader {
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // Names that occur once: remembering them would only cost memory.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .build();

  private static final int MAX_DIMENSIONS = 8;
  private static final String METADATA = "__metadata__";

  private final Path file;
  private final JsonParser json;

  private SafetensorsHeader(Path file, JsonParser json) {
    this.file = file;
    this.json = json;
  }

  /** The tensors that are listed; their offsets count from the start of the data. */
  static List<SafetensorsTensor> read(Path file, byte[] header) {
    try (JsonParser json = JSON.createParser(SmallFile.decode(file, header))) {
      return new SafetensorsHeader(file, json).read();
    } catch (JacksonException e) {
      throw new ModelFileException(
          "%s: header is not valid JSON: %s (expected: a safetensors file)"
              .formatted(file, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new ModelFileException(file + ": header cannot be read: " + e, e);
    }
  }

  private List<SafetensorsTensor> read() throws IOException {
    List<SafetensorsTensor> tensors = new ArrayList<>();
    expect(json.nextToken() == JsonToken.START_OBJECT, "header", "an object");
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      json.nextToken();
      if (name.equals(METADATA)) {
        json.skipChildren();
      } else {
        tensors.add(readTensor(name));
      }
    }
    return tensors;
  }

  private SafetensorsTensor readTensor(String name) throws IOException {
    String what = "tensor " + name;
    expect(json.currentToken() == JsonToken.START_OBJECT, what, "an object");
    String dtype = "";
    List<Long> shape = List.of();
    List<Long> offsets = List.of();
    for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
      JsonToken value = json.nextToken();
      switch (key) {
        case "dtype" -> {
          expect(value == JsonToken.VALUE_STRING, what + ": dtype", "a text");
          dtype = json.getText();
        }
        case "shape" -> shape = readWholes(what + ": shape", MAX_DIMENSIONS);
        case "data_offsets" -> offsets = readWholes(what + ": data_offsets", 2);
        default -> json.skipChildren();
      }
    }
    if (dtype.isEmpty() || offsets.size() != 2) {
      throw new ModelFileException(
          "%s: %s: %s missing (expected: dtype, shape and two data_offsets)"
              .formatted(file, what, dtype.isEmpty() ? "dtype" : "data_offsets"));
    }
    long bytes = offsets.get(1) - offsets.get(0);
    if (bytes < 0) {
      throw new ModelFileException(
          "%s: %s: data_offsets %s (expected: begin and end)".formatted(file, what, offsets));
    }
    SafetensorsTensor tensor = new SafetensorsTensor(name, dtype, shape, offsets.get(0), bytes);
    tensor.type().ifPresent(type -> checkBytes(tensor, type));
    return tensor;
  }

  /** Elements of types that cannot be read are not counted: such a tensor is refused if needed. */
  private void checkBytes(SafetensorsTensor tensor, GgmlType type) {
    long left = tensor.bytes() / type.blockBytes;
    for (long dimension : tensor.shape()) {
      left = dimension == 0 || left % dimension != 0 ? -1 : left / dimension;
      if (left < 0) {
        break;
      }
    }
    if (left != 1 || tensor.bytes() % type.blockBytes != 0) {
      throw new ModelFileException(
          "%s: tensor %s: %d bytes (expected: those of %s in %s)"
              .formatted(file, tensor.name(), tensor.bytes(), tensor.shape(), tensor.dtype()));
    }
  }

  private List<Long> readWholes(String what, int most) throws IOException {
    String expected = "a list of at most " + most + " whole numbers";
    expect(json.currentToken() == JsonToken.START_ARRAY, what, expected);
    List<Long> wholes = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      boolean fits =
          json.currentToken() == JsonToken.VALUE_NUMBER_INT
              && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER
              && json.getLongValue() >= 0
              && wholes.size() < most;
      expect(fits, what, expected);
      wholes.add(json.getLongValue());
    }
    return wholes;
  }

  private void expect(boolean fits, String what, String expected) throws IOException {
    if (!fits) {
      String found = json.currentToken() == null ? "nothing" : Excerpt.of(json.getText());
      throw new ModelFileException(
          "%s: %s: %s (expected: %s)".formatted(file, what, found, expected));
    }
  }
}
