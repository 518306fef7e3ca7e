package dev.sluice.worker.model;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Closes a network stream that brings nothing for a while, as the HTTP client's own timeout ends
 * with the response's head.
 *
 * <p>Threading: read by one thread; a virtual thread of its own watches until the stream is closed.
 */
final class StallGuard extends FilterInputStream {
  private final AtomicLong reads = new AtomicLong();
  private final Thread watcher;
  private volatile boolean stalled;

  StallGuard(InputStream in, Duration timeout) {
    super(in);
    this.watcher = Thread.ofVirtual().start(() -> watch(timeout));
  }

  private void watch(Duration timeout) {
    try {
      long before;
      do {
        before = reads.get();
        Thread.sleep(timeout);
      } while (reads.get() != before);
      stalled = true;
      in.close(); // wakes the reader
    } catch (InterruptedException e) {
      // closed in time
    } catch (IOException e) {
      // closed all the same
    }
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    int n = read(one, 0, 1);
    return n < 0 ? n : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int n = in.read(buffer, offset, length);
    reads.incrementAndGet();
    if (n < 0 && stalled) {
      throw new IOException("stalled: nothing came for too long");
    }
    return n;
  }

  @Override
  public void close() throws IOException {
    watcher.interrupt();
    super.close();
  }
}
