package dev.sluice.worker.graph;

import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.ModelFileException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Set;

/** A checkpoint of a single weight, a vector. */
final class TestCheckpoint implements Checkpoint {
  private final String name;
  private final float[] values;

  TestCheckpoint(String name, float... values) {
    this.name = name;
    this.values = values.clone();
  }

  @Override
  public ModelConfig config() {
    throw new UnsupportedOperationException("config");
  }

  @Override
  public Set<String> names() {
    return Set.of(name);
  }

  @Override
  public long[] shape(String wanted) {
    if (!wanted.equals(name)) {
      throw new ModelFileException("no weight " + wanted);
    }
    return new long[] {values.length};
  }

  @Override
  public void read(String wanted, MemorySegment destination) {
    MemorySegment.copy(values, 0, destination, ValueLayout.JAVA_FLOAT, 0, values.length);
  }

  @Override
  public TokenizerBundle tokenizer() {
    throw new UnsupportedOperationException("tokenizer");
  }

  @Override
  public String contentHash() {
    return "";
  }

  @Override
  public void close() {}
}
