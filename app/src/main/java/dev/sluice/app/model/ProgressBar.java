package dev.sluice.app.model;

import dev.sluice.app.cli.Style;
import dev.sluice.worker.model.Progress;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * Shows the progress of a pull: a bar that is redrawn on a terminal, else a line at the start of
 * each phase and for every quarter of it.
 *
 * <p>Threading: for the thread that pulls.
 */
public final class ProgressBar implements Progress, AutoCloseable {
  private static final int WIDTH = 30;
  private static final long REDRAW_NANOS = 100_000_000;

  private final PrintWriter out;
  private final Style style;
  private final LongSupplier nanoTime;
  private String phase = "";
  private long phaseStart;
  private long phaseStartBytes;
  private long lastDraw;
  private int lastQuarter;

  /**
   * @param style on: the lines can be redrawn
   * @param nanoTime a clock such as {@code System::nanoTime}
   */
  public ProgressBar(PrintWriter out, Style style, LongSupplier nanoTime) {
    this.out = out;
    this.style = style;
    this.nanoTime = nanoTime;
  }

  @Override
  public void update(String phase, long doneBytes, long totalBytes) {
    long now = nanoTime.getAsLong();
    boolean first = !phase.equals(this.phase);
    if (first) {
      endLine();
      this.phase = phase;
      phaseStart = now;
      phaseStartBytes = doneBytes;
      lastQuarter = 0;
    }
    boolean whole = totalBytes > 0 && doneBytes >= totalBytes;
    if (style.on()) {
      if (first || whole || now - lastDraw >= REDRAW_NANOS) {
        lastDraw = now;
        out.print(style.redraw(0) + bar(doneBytes, totalBytes, now));
        out.flush();
      }
      return;
    }
    int quarter = totalBytes > 0 ? (int) (4 * doneBytes / totalBytes) : 0;
    if (first || quarter > lastQuarter) {
      lastQuarter = quarter;
      out.println(phase + (totalBytes > 0 ? ": " + amount(doneBytes, totalBytes) : ""));
      out.flush();
    }
  }

  private String bar(long done, long total, long now) {
    if (total <= 0) {
      return phase + (done > 0 ? "  " + megabytes(done) : "");
    }
    int filled = Math.clamp(WIDTH * done / total, 0, WIDTH);
    long elapsed = Math.max(1, now - phaseStart);
    String rate = String.format(Locale.ROOT, "%.1f MB/s", (done - phaseStartBytes) * 1e3 / elapsed);
    return phase
        + "  "
        + style.green("━".repeat(filled))
        + style.dim("━".repeat(WIDTH - filled))
        + "  "
        + amount(done, total)
        + "  "
        + rate;
  }

  private static String amount(long done, long total) {
    return megabytes(done) + " of " + megabytes(total);
  }

  static String megabytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
  }

  private void endLine() {
    if (style.on() && !phase.isEmpty()) {
      out.println();
      out.flush();
    }
  }

  /** Ends the line that is being drawn. */
  @Override
  public void close() {
    endLine();
    phase = "";
  }
}
