package dev.sluice.worker.model;

import dev.sluice.common.tokenizer.TokenizerBundle;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Set;

/** A checkpoint whose content hash is remembered from one process to the next. */
record RememberedCheckpoint(Path path, Checkpoint checkpoint, ContentHashes hashes)
    implements Checkpoint {
  @Override
  public ModelConfig config() {
    return checkpoint.config();
  }

  @Override
  public Set<String> names() {
    return checkpoint.names();
  }

  @Override
  public long[] shape(String name) {
    return checkpoint.shape(name);
  }

  @Override
  public void read(String name, MemorySegment destination) {
    checkpoint.read(name, destination);
  }

  @Override
  public TokenizerBundle tokenizer() {
    return checkpoint.tokenizer();
  }

  @Override
  public String contentHash() {
    return hashes.get(path, checkpoint::contentHash);
  }

  @Override
  public void close() {
    checkpoint.close();
  }
}
