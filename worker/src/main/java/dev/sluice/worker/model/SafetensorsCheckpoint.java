package dev.sluice.worker.model;

import dev.sluice.common.tokenizer.TokenizerBundle;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * A model in a folder in the Hugging Face layout:
 *
 * <pre>
 * config.json                what the model is
 * model.safetensors          its weights, or model.safetensors.index.json and the shards it lists
 * tokenizer.json, tokenizer_config.json, generation_config.json, chat_template.jinja
 * </pre>
 *
 * Opening checks that all weights are there with the shapes that the configuration asks for, and
 * that there are no others.
 *
 * <p>Threading: immutable but for the content hash, which is computed once, under the lock of this
 * object, when first asked for.
 */
final class SafetensorsCheckpoint implements Checkpoint {
  private static final String HEAD = "lm_head.weight";

  private final Path folder;
  private final SafetensorsFolder files;
  private final ModelConfig config;
  private final Map<String, DecoderWeights.Weight> weights;
  private final TokenizerBundle tokenizer;
  private String contentHash = "";

  private SafetensorsCheckpoint(
      Path folder, SafetensorsFolder files, ModelConfig config, TokenizerBundle tokenizer) {
    this.folder = folder;
    this.files = files;
    this.config = config;
    this.weights = DecoderWeights.of(config, files.tensors().size());
    this.tokenizer = tokenizer;
    check();
  }

  /**
   * Maps and checks the files of a folder.
   *
   * @throws ModelFileException if one of them or the model in them cannot be used
   */
  static SafetensorsCheckpoint open(Path folder) {
    JsonObject json = HfConfig.open(folder);
    ModelConfig config = HfConfig.read(json);
    SafetensorsFolder files = SafetensorsFolder.open(folder);
    try {
      TokenizerBundle tokenizer = HfTokenizer.read(folder, json, config.vocabularySize());
      return new SafetensorsCheckpoint(folder, files, config, tokenizer);
    } catch (RuntimeException | Error e) {
      files.close();
      throw e;
    }
  }

  private void check() {
    Set<String> unexpected = new LinkedHashSet<>(files.tensors().keySet());
    for (Map.Entry<String, DecoderWeights.Weight> weight : weights.entrySet()) {
      check(weight.getKey(), weight.getValue());
      unexpected.remove(weight.getKey());
    }
    // Some writers store a tied head twice, and the frequencies that follow from the configuration.
    unexpected.remove(HEAD);
    unexpected.removeIf(name -> name.endsWith(".rotary_emb.inv_freq"));
    // A weight that is left out of the computation makes wrong tokens, not an error.
    if (!unexpected.isEmpty()) {
      String name = unexpected.iterator().next();
      throw new ModelFileException(
          "%s: tensor %s: not known (expected: only the weights of the architecture '%s')"
              .formatted(fileOf(name), name, config.architecture()));
    }
  }

  private void check(String name, DecoderWeights.Weight weight) {
    SafetensorsFolder.Entry entry = files.tensors().get(name);
    if (entry == null) {
      throw new ModelFileException(
          "%s: tensor %s: missing (expected: shape %s)".formatted(folder, name, weight.shape()));
    }
    SafetensorsTensor tensor = entry.tensor();
    if (!tensor.shape().equals(weight.shape())) {
      throw new ModelFileException(
          "%s: tensor %s: shape %s (expected: %s)"
              .formatted(entry.file().path(), name, tensor.shape(), weight.shape()));
    }
    if (tensor.type().isEmpty()) {
      throw new ModelFileException(
          "%s: tensor %s: dtype %s (expected: one of %s)"
              .formatted(entry.file().path(), name, tensor.dtype(), SafetensorsTensor.supported()));
    }
  }

  private Path fileOf(String name) {
    SafetensorsFolder.Entry entry = files.tensors().get(name);
    return entry == null ? folder : entry.file().path();
  }

  @Override
  public ModelConfig config() {
    return config;
  }

  @Override
  public Set<String> names() {
    return Collections.unmodifiableSet(weights.keySet());
  }

  @Override
  public long[] shape(String name) {
    return entry(name).tensor().shape().stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public void read(String name, MemorySegment destination) {
    SafetensorsFolder.Entry entry = entry(name);
    SafetensorsTensor tensor = entry.tensor();
    GgmlType type = tensor.type().orElseThrow(); // opening has checked it
    long elements = tensor.bytes() / type.blockBytes;
    TensorReader.checkSize(name, destination, elements);
    TensorReader.read(entry.file().content(), type, tensor.offset(), elements, destination, 0);
  }

  @Override
  public TokenizerBundle tokenizer() {
    return tokenizer;
  }

  @Override
  public synchronized String contentHash() {
    if (contentHash.isEmpty()) {
      StringBuilder hashes = new StringBuilder(config.toString());
      for (SafetensorsFile file : files.files()) {
        hashes.append('\n').append(Sha256.of(file.content()));
      }
      contentHash =
          Sha256.of(MemorySegment.ofArray(hashes.toString().getBytes(StandardCharsets.UTF_8)));
    }
    return contentHash;
  }

  @Override
  public void close() {
    files.close();
  }

  private SafetensorsFolder.Entry entry(String name) {
    SafetensorsFolder.Entry entry = files.tensors().get(name);
    if (entry == null || !weights.containsKey(name)) {
      throw new ModelFileException(
          "%s: weight %s: missing (expected: one of %d weights such as %s)"
              .formatted(folder, name, weights.size(), weights.keySet().iterator().next()));
    }
    return entry;
  }
}
