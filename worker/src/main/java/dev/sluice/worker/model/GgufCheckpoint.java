package dev.sluice.worker.model;

import dev.sluice.common.tokenizer.TokenizerBundle;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * A model in one GGUF file. Opening checks that all weights are there with the shapes that the
 * configuration asks for, and that there are no others.
 *
 * <p>GGUF stores the rows of q and k of Llama models in the order of interleaved rotary pairs; here
 * they are in the order of rotary halves:
 *
 * <pre>
 * file:  row 2 i + half              of a head
 * here:  row half * headSize / 2 + i of a head
 * </pre>
 *
 * <p>Threading: immutable but for the content hash, which is computed once, under the lock of this
 * object, when first asked for.
 */
final class GgufCheckpoint implements Checkpoint {
  private final GgufFile file;
  private final ModelConfig config;

  /** Whether the file has the rows of q and k in the order of interleaved rotary pairs. */
  private final boolean interleaved;

  private final Map<String, DecoderWeights.Weight> weights;
  private final TokenizerBundle tokenizer;
  private String contentHash = "";

  private GgufCheckpoint(GgufFile file) {
    this.file = file;
    Family family = GgufConfig.family(file);
    this.config = GgufConfig.read(file, family);
    this.interleaved = family.interleavedInGguf();
    this.weights = DecoderWeights.of(config, file.tensors().size());
    check();
    this.tokenizer = GgufTokenizer.read(file, config.vocabularySize());
  }

  /**
   * Maps and checks a file.
   *
   * @throws ModelFileException if the file or the model in it cannot be used
   */
  static GgufCheckpoint open(Path path) {
    GgufFile file = GgufFile.open(path);
    try {
      return new GgufCheckpoint(file);
    } catch (RuntimeException | Error e) {
      file.close();
      throw e;
    }
  }

  private void check() {
    Set<String> unexpected = new LinkedHashSet<>(file.tensors().keySet());
    unexpected.remove(GgufRotary.DIVISORS); // part of the configuration
    for (DecoderWeights.Weight weight : weights.values()) {
      GgufTensor tensor = file.tensors().get(weight.ggufName());
      if (tensor == null) {
        throw new ModelFileException(
            "%s: tensor %s: missing (expected: shape %s)"
                .formatted(file.path(), weight.ggufName(), weight.shape()));
      }
      if (!tensor.shape().equals(weight.shape())) {
        throw new ModelFileException(
            "%s: tensor %s: shape %s (expected: %s)"
                .formatted(file.path(), weight.ggufName(), tensor.shape(), weight.shape()));
      }
      unexpected.remove(weight.ggufName());
    }
    // A weight that is left out of the computation makes wrong tokens, not an error.
    if (!unexpected.isEmpty()) {
      throw new ModelFileException(
          "%s: tensor %s: not known (expected: only the weights of the architecture '%s')"
              .formatted(file.path(), unexpected.iterator().next(), config.architecture()));
    }
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
    return weight(name).shape().stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public void read(String name, MemorySegment destination) {
    DecoderWeights.Weight weight = weight(name);
    GgufTensor tensor = tensor(weight);
    TensorReader.checkSize(name, destination, tensor.elements());
    MemorySegment content = file.content();
    GgmlType type = tensor.type();
    if (!weight.rotary() || !interleaved) {
      TensorReader.read(content, type, tensor.offset(), tensor.elements(), destination, 0);
      return;
    }
    int headSize = config.headSize();
    long columns = tensor.columns();
    for (long row = 0; row < tensor.rows(); row++) {
      int inHead = (int) (row % headSize);
      int half = inHead / (headSize / 2);
      long stored = row - inHead + 2L * (inHead - half * (headSize / 2)) + half;
      long offset = tensor.offset() + stored * tensor.rowBytes();
      TensorReader.read(content, type, offset, columns, destination, row * columns);
    }
  }

  @Override
  public TokenizerBundle tokenizer() {
    return tokenizer;
  }

  @Override
  public synchronized String contentHash() {
    if (contentHash.isEmpty()) {
      contentHash = Sha256.of(file.content());
    }
    return contentHash;
  }

  @Override
  public void close() {
    file.close();
  }

  private DecoderWeights.Weight weight(String name) {
    DecoderWeights.Weight weight = weights.get(name);
    if (weight == null) {
      throw new ModelFileException(
          "%s: weight %s: missing (expected: one of %d weights such as %s)"
              .formatted(file.path(), name, weights.size(), weights.keySet().iterator().next()));
    }
    return weight;
  }

  private GgufTensor tensor(DecoderWeights.Weight weight) {
    GgufTensor tensor = file.tensors().get(weight.ggufName());
    if (tensor == null) {
      throw new IllegalStateException(weight.ggufName() + " was there when the file was opened");
    }
    return tensor;
  }
}
