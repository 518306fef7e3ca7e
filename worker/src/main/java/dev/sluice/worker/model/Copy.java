package dev.sluice.worker.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/** Copies a stream and tells how far it is. */
final class Copy {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final long REPORT_BYTES = 1 << 20;

  private Copy() {}

  /**
   * Copies to the end of the stream.
   *
   * @param done bytes that are there already
   * @param total bytes that there shall be in the end
   * @throws IOException if there are more
   */
  static void all(
      InputStream in, OutputStream out, long done, long total, String phase, Progress progress)
      throws IOException {
    byte[] buffer = new byte[BUFFER_BYTES];
    long reported = done;
    progress.update(phase, done, total);
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      if (n > total - done) {
        throw new IOException(phase + ": more bytes than expected (expected: " + total + ")");
      }
      out.write(buffer, 0, n);
      done += n;
      if (done - reported >= REPORT_BYTES) {
        progress.update(phase, done, total);
        reported = done;
      }
    }
    progress.update(phase, done, total);
  }
}
