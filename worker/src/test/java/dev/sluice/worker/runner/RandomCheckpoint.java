package dev.sluice.worker.runner;

import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelConfig;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.Set;

/** Random weights for any configuration; the same for the same name. */
record RandomCheckpoint(ModelConfig config) implements Checkpoint {
  @Override
  public Set<String> names() {
    throw new UnsupportedOperationException("names");
  }

  @Override
  public long[] shape(String name) {
    String[] parts = name.split("\\.", -1);
    String module = parts[parts.length - 2];
    long hidden = config.hiddenSize();
    long outputs =
        switch (module) {
          case "q_proj" -> (long) config.heads() * config.headSize();
          case "k_proj", "v_proj" -> (long) config.kvHeads() * config.headSize();
          case "gate_proj", "up_proj" -> config.intermediateSize();
          case "q_norm", "k_norm" -> config.headSize();
          case "embed_tokens", "lm_head" -> config.vocabularySize();
          default -> hidden;
        };
    if (name.endsWith(".bias") || module.endsWith("norm")) {
      return new long[] {outputs};
    }
    return switch (module) {
      case "o_proj" -> new long[] {hidden, (long) config.heads() * config.headSize()};
      case "down_proj" -> new long[] {hidden, config.intermediateSize()};
      default -> new long[] {outputs, hidden};
    };
  }

  @Override
  public void read(String name, MemorySegment destination) {
    Random random = new Random(name.hashCode());
    boolean norm = shape(name).length == 1 && !name.endsWith(".bias");
    for (long i = 0; i < destination.byteSize() / Float.BYTES; i++) {
      double value = random.nextGaussian() * 0.1;
      destination.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (norm ? 1 + value : value));
    }
  }

  @Override
  public TokenizerBundle tokenizer() {
    return new TokenizerBundle("{}", "", "", "", List.of(), false);
  }

  @Override
  public String contentHash() {
    return "0".repeat(64);
  }

  @Override
  public void close() {}
}
