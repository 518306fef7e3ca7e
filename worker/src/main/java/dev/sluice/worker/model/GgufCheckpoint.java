package dev.sluice.worker.model;

import dev.sluice.common.tokenizer.TokenizerBundle;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  /** Elements that are dequantised at a time; a multiple of every block. */
  private static final int PIECE = 1 << 14;

  private final GgufFile file;
  private final ModelConfig config;
  private final Map<String, LlamaWeights.Weight> weights;
  private final TokenizerBundle tokenizer;
  private String contentHash = "";

  private GgufCheckpoint(GgufFile file) {
    this.file = file;
    this.config = GgufConfig.read(file);
    this.weights = LlamaWeights.of(config);
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
    for (LlamaWeights.Weight weight : weights.values()) {
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
    LlamaWeights.Weight weight = weight(name);
    GgufTensor tensor = tensor(weight);
    if (destination.byteSize() != tensor.elements() * Float.BYTES) {
      throw new IllegalArgumentException(
          "destination of %s: %d bytes (expected: %d, %d elements)"
              .formatted(
                  name,
                  destination.byteSize(),
                  tensor.elements() * Float.BYTES,
                  tensor.elements()));
    }
    GgmlType type = tensor.type();
    if (weight.interleavedHeads() == 0) {
      dequantize(type, tensor.offset(), tensor.elements(), destination, 0);
      return;
    }
    int headSize = config.headSize();
    for (long row = 0; row < tensor.rows(); row++) {
      int inHead = (int) (row % headSize);
      int half = inHead / (headSize / 2);
      long stored = row - inHead + 2L * (inHead - half * (headSize / 2)) + half;
      dequantize(
          type,
          tensor.offset() + stored * tensor.rowBytes(),
          tensor.columns(),
          destination,
          row * tensor.columns());
    }
  }

  /**
   * Reads {@code elements} from byte {@code offset} to element {@code first} of the destination.
   */
  private void dequantize(
      GgmlType type, long offset, long elements, MemorySegment destination, long first) {
    int piece = (int) Math.min(PIECE, elements);
    byte[] in = new byte[piece / type.blockElements * type.blockBytes];
    float[] out = new float[piece];
    for (long done = 0; done < elements; done += piece) {
      int count = (int) Math.min(piece, elements - done);
      int blocks = count / type.blockElements;
      int bytes = blocks * type.blockBytes;
      MemorySegment.copy(file.content(), ValueLayout.JAVA_BYTE, offset, in, 0, bytes);
      type.dequantize(in, blocks, out);
      MemorySegment.copy(
          out,
          0,
          destination,
          ValueLayout.JAVA_FLOAT_UNALIGNED,
          (first + done) * Float.BYTES,
          count);
      offset += bytes;
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

  private LlamaWeights.Weight weight(String name) {
    LlamaWeights.Weight weight = weights.get(name);
    if (weight == null) {
      throw new ModelFileException(
          "%s: weight %s: missing (expected: one of %d weights such as %s)"
              .formatted(file.path(), name, weights.size(), weights.keySet().iterator().next()));
    }
    return weight;
  }

  private GgufTensor tensor(LlamaWeights.Weight weight) {
    GgufTensor tensor = file.tensors().get(weight.ggufName());
    if (tensor == null) {
      throw new IllegalStateException(weight.ggufName() + " was there when the file was opened");
    }
    return tensor;
  }
}
