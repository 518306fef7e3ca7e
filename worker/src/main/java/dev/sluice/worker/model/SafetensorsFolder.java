package dev.sluice.worker.model;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The safetensors files of a folder: {@code model.safetensors} alone, or the shards that {@code
 * model.safetensors.index.json} lists.
 *
 * <p>Threading: immutable; reading from several threads is safe. Closing unmaps the files.
 */
final class SafetensorsFolder implements AutoCloseable {
  static final String SINGLE = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private static final int MAX_INDEX_BYTES = 64 << 20;
  private static final int MAX_SHARDS = 4096;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          // Names that occur once: remembering them would only cost memory.
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .build();

  /** A tensor and the file that it is in. */
  record Entry(SafetensorsFile file, SafetensorsTensor tensor) {}

  private final List<SafetensorsFile> files = new ArrayList<>();
  private final Map<String, Entry> tensors = new LinkedHashMap<>();

  private SafetensorsFolder() {}

  /**
   * Maps the files and reads their headers.
   *
   * @throws ModelFileException if one is missing or not sound, or the index does not fit them
   */
  static SafetensorsFolder open(Path folder) {
    SafetensorsFolder opened = new SafetensorsFolder();
    try {
      Path index = folder.resolve(INDEX);
      if (Files.exists(index)) {
        opened.addShards(folder, index, readIndex(index));
      } else {
        opened.add(folder.resolve(SINGLE));
      }
      return opened;
    } catch (RuntimeException | Error e) {
      opened.close();
      throw e;
    }
  }

  private void addShards(Path folder, Path index, Map<String, String> shardOf) {
    Map<String, SafetensorsFile> shards = new TreeMap<>();
    for (Map.Entry<String, String> entry : shardOf.entrySet()) {
      SafetensorsFile shard = shards.get(entry.getValue());
      if (shard == null) {
        shard = add(folder.resolve(entry.getValue()));
        shards.put(entry.getValue(), shard);
      }
      if (!shard.tensors().containsKey(entry.getKey())) {
        throw new ModelFileException(
            "%s: tensor %s: missing (expected: as %s lists it)"
                .formatted(shard.path(), entry.getKey(), index.getFileName()));
      }
    }
  }

  private SafetensorsFile add(Path path) {
    SafetensorsFile file = SafetensorsFile.open(path);
    files.add(file);
    for (SafetensorsTensor tensor : file.tensors().values()) {
      Entry other = tensors.putIfAbsent(tensor.name(), new Entry(file, tensor));
      if (other != null) {
        throw new ModelFileException(
            "%s: tensor %s: also in %s (expected: once)"
                .formatted(path, tensor.name(), other.file().path().getFileName()));
      }
    }
    return file;
  }

  /** File names by tensor. */
  private static Map<String, String> readIndex(Path index) {
    Map<String, String> shardOf = new LinkedHashMap<>();
    try (JsonParser json = JSON.createParser(SmallFile.text(index, MAX_INDEX_BYTES))) {
      expect(index, json, json.nextToken() == JsonToken.START_OBJECT, "an object");
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        json.nextToken();
        if (name.equals("weight_map")) {
          readWeightMap(index, json, shardOf);
        } else {
          json.skipChildren();
        }
      }
    } catch (JacksonException e) {
      throw new ModelFileException(
          "%s: is not valid JSON: %s (expected: an object)"
              .formatted(index, e.getOriginalMessage()),
          e);
    } catch (IOException e) {
      throw new ModelFileException(index + ": cannot be read: " + e, e);
    }
    if (shardOf.isEmpty()) {
      throw new ModelFileException(
          index + ": weight_map: missing or empty (expected: file names by tensor)");
    }
    return shardOf;
  }

  private static void readWeightMap(Path index, JsonParser json, Map<String, String> shardOf)
      throws IOException {
    expect(index, json, json.currentToken() == JsonToken.START_OBJECT, "weight_map, an object");
    Map<String, String> names = new TreeMap<>(); // one object for each file name
    for (String tensor = json.nextFieldName(); tensor != null; tensor = json.nextFieldName()) {
      expect(index, json, json.nextToken() == JsonToken.VALUE_STRING, "the file of " + tensor);
      String file = json.getText();
      // A name that leads out of the folder would let a model read any file.
      boolean plain = file.endsWith(".safetensors") && file.matches("[\\w.-]+");
      expect(index, json, plain, "the name of a safetensors file in this folder");
      String known = names.computeIfAbsent(file, name -> name);
      expect(index, json, names.size() <= MAX_SHARDS, "at most " + MAX_SHARDS + " files");
      shardOf.put(tensor, known);
    }
  }

  private static void expect(Path index, JsonParser json, boolean fits, String expected)
      throws IOException {
    if (!fits) {
      String found = json.currentToken() == null ? "nothing" : Excerpt.of(json.getText());
      throw new ModelFileException("%s: '%s' (expected: %s)".formatted(index, found, expected));
    }
  }

  /** The files, in the order in which they were found. */
  List<SafetensorsFile> files() {
    return Collections.unmodifiableList(files);
  }

  /** All tensors of all files by name. */
  Map<String, Entry> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }
}
