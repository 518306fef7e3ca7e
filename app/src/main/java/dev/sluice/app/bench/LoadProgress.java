package dev.sluice.app.bench;

import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.TimingText;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Shows how far a measurement is: a bar that is redrawn on a terminal, else a line every ten
 * seconds.
 *
 * <p>Threading: a thread of its own draws from {@link #start} to {@link #close}.
 */
final class LoadProgress implements AutoCloseable {
  private static final int WIDTH = 30;
  private static final long REDRAW_MILLIS = 200;
  private static final long LINE_MILLIS = 10_000;

  private final PrintWriter err;
  private final Style style;
  private final Recorder recorder;
  private final LongSupplier clock;
  private final int total;
  private final Thread thread = Thread.ofVirtual().unstarted(this::draw);

  /**
   * @param total requests that are to be sent
   * @param clock nanoseconds since the start
   */
  LoadProgress(PrintWriter err, Style style, Recorder recorder, LongSupplier clock, int total) {
    this.err = err;
    this.style = style;
    this.recorder = recorder;
    this.clock = clock;
    this.total = total;
  }

  void start() {
    thread.start();
  }

  private void draw() {
    try {
      while (true) {
        Thread.sleep(style.on() ? REDRAW_MILLIS : LINE_MILLIS);
        if (style.on()) {
          err.print(style.redraw(0) + bar() + line());
        } else {
          err.println(line());
        }
        err.flush();
      }
    } catch (InterruptedException e) {
      err.print(style.redraw(0));
      err.flush();
    }
  }

  private String bar() {
    int filled = Math.clamp((long) WIDTH * recorder.ended() / total, 0, WIDTH);
    return style.green("━".repeat(filled)) + style.dim("━".repeat(WIDTH - filled)) + "  ";
  }

  private String line() {
    long now = Math.max(1, clock.getAsLong());
    return String.format(
        Locale.ROOT,
        "%d of %d requests, %d failed, %.0f output tokens/s, %s",
        recorder.ended(),
        total,
        recorder.failed(),
        recorder.tokens() * 1e9 / now,
        TimingText.duration(now));
  }

  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
