package dev.sluice.worker.service;

import com.google.protobuf.ByteString;
import dev.sluice.v1.KvEvents;
import dev.sluice.worker.engine.CacheContent;
import dev.sluice.worker.engine.CacheJournal;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The cached blocks as one subscriber is told of them: all of them, in chunks, then what changes.
 *
 * <p>Threading: the watch thread.
 */
final class CacheFeed {
  /** Half of what a message may have. */
  static final int CHUNK_BYTES = 512 << 10;

  private static final int HASH_BYTES = 2 * Long.BYTES;

  private final CacheJournal journal;
  private final ArrayDeque<ByteString> chunks = new ArrayDeque<>();
  private long position;

  /** The name of a block's content. */
  private record Hash(long high, long low) {
    void appendTo(ByteString.Output output) {
      ByteBuffer bytes = ByteBuffer.allocate(HASH_BYTES).putLong(high).putLong(low);
      output.write(bytes.array(), 0, HASH_BYTES);
    }
  }

  CacheFeed(CacheJournal journal) {
    this.journal = journal;
  }

  /** Begins anew with everything that is cached; there is at least one chunk to send. */
  void begin(CacheContent content) {
    position = content.position();
    chunks.clear();
    ByteString.Output chunk = ByteString.newOutput();
    for (int i = 0; i < content.hashes().length; i += 2) {
      if (chunk.size() + HASH_BYTES > CHUNK_BYTES) {
        chunks.add(chunk.toByteString());
        chunk = ByteString.newOutput();
      }
      new Hash(content.hashes()[i], content.hashes()[i + 1]).appendTo(chunk);
    }
    chunks.add(chunk.toByteString());
  }

  /** Whether chunks are left to send. */
  boolean hasChunks() {
    return !chunks.isEmpty();
  }

  /** The next chunk: hashes, 16 bytes each, high half first, big-endian. */
  ByteString nextChunk() {
    return chunks.remove();
  }

  /**
   * What has changed since the last call; the default instance if nothing has.
   *
   * @return empty if changes were lost: the subscriber has to begin anew
   */
  Optional<KvEvents> changes() {
    Map<Hash, Boolean> latest = new LinkedHashMap<>();
    OptionalLong end =
        journal.read(position, (high, low, stored) -> latest.put(new Hash(high, low), stored));
    if (end.isEmpty()) {
      return Optional.empty();
    }
    position = end.getAsLong();
    ByteString.Output stored = ByteString.newOutput();
    ByteString.Output removed = ByteString.newOutput();
    latest.forEach((hash, isStored) -> hash.appendTo(isStored ? stored : removed));
    return Optional.of(
        KvEvents.newBuilder()
            .setStored(stored.toByteString())
            .setRemoved(removed.toByteString())
            .build());
  }
}
