package dev.sluice.app.bench;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Reads server-sent events: of each its data, as that is all that OpenAI's API uses.
 *
 * <p>Threading: one thread reads; any may close.
 */
final class EventStream implements AutoCloseable {
  private static final int LONGEST_LINE = 1 << 20; // bytes
  private static final String DATA = "data:";

  private final InputStream in;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(256);

  EventStream(InputStream in) {
    this.in = new BufferedInputStream(in);
  }

  /**
   * Waits for the next event.
   *
   * @return its data; empty at the end of the stream
   * @throws IOException if the stream breaks, or a line is longer than 1 MiB
   */
  Optional<String> next() throws IOException {
    StringBuilder data = new StringBuilder();
    boolean any = false;
    while (readLine()) {
      String text = line.toString(StandardCharsets.UTF_8);
      if (text.isEmpty() && any) {
        return Optional.of(data.toString());
      }
      if (text.startsWith(DATA)) { // others are comments, or fields that are not used
        if (any) {
          data.append('\n');
        }
        data.append(text.substring(DATA.length()).stripLeading());
        any = true;
      }
    }
    return any ? Optional.of(data.toString()) : Optional.empty();
  }

  /** Whether there was a further line, which may be empty. */
  private boolean readLine() throws IOException {
    line.reset();
    for (int b = in.read(); b != '\n'; b = in.read()) {
      if (b < 0) {
        return line.size() > 0;
      }
      if (b != '\r') {
        line.write(b);
      }
      if (line.size() > LONGEST_LINE) {
        throw new IOException("a line longer than " + LONGEST_LINE + " bytes");
      }
    }
    return true;
  }

  /** Ends the request, whether or not all of its answer was read. */
  @Override
  public void close() throws IOException {
    in.close();
  }
}
