package dev.sluice.router.prompt;

import dev.sluice.common.tokenizer.EncodedText;
import dev.sluice.router.index.BlockHashes;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The latest prompt of each conversation, or of each beginning where there is no conversation: what
 * comes next is likely to go on from it. Bounded; the least recently used are forgotten.
 *
 * <p>Threading: any thread; a monitor is held for a look-up.
 */
final class PromptMemory {
  private static final int BYTES_PER_ENTRY = 200;
  private static final int BYTES_PER_BLOCK = 16;

  /**
   * Prompts that may begin alike.
   *
   * @param tokenizer fingerprint
   * @param blockSize tokens per block
   * @param rendered whether a template made the text
   * @param salt only prompts with the same one share anything
   * @param name of the conversation, or the beginning of the text
   */
  record Key(String tokenizer, int blockSize, boolean rendered, String salt, String name) {}

  /** A prompt and the names of its blocks. */
  record Remembered(EncodedText text, BlockHashes blocks) {
    long size() {
      return BYTES_PER_ENTRY + text.size() + (long) BYTES_PER_BLOCK * blocks.count();
    }
  }

  private final long maxBytes;
  private final Map<Key, Remembered> entries = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  PromptMemory(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  synchronized Optional<Remembered> find(Key key) {
    return Optional.ofNullable(entries.get(key));
  }

  synchronized void remember(Key key, Remembered prompt) {
    if (prompt.size() > maxBytes) {
      return;
    }
    Remembered before = entries.put(key, prompt);
    bytes += prompt.size() - (before == null ? 0 : before.size());
    Iterator<Remembered> eldest = entries.values().iterator();
    while (bytes > maxBytes) {
      bytes -= eldest.next().size();
      eldest.remove();
    }
  }

  synchronized long bytes() {
    return bytes;
  }
}
