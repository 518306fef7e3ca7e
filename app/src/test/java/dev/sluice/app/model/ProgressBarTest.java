package dev.sluice.app.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.cli.Style;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class ProgressBarTest {
  private final StringWriter out = new StringWriter();
  private final AtomicLong clock = new AtomicLong();

  @Test
  void writesALinePerQuarterWhereNothingCanBeRedrawn() {
    try (ProgressBar bar = new ProgressBar(new PrintWriter(out), new Style(false), clock::get)) {
      for (int done = 0; done <= 100; done++) {
        bar.update("downloading", done * 1_000_000L, 100_000_000);
      }
      bar.update("checking", 0, 0);
      bar.update("checking", 5, 0);
    }
    assertThat(out.toString())
        .isEqualTo(
            """
            downloading: 0.0 MB of 100.0 MB
            downloading: 25.0 MB of 100.0 MB
            downloading: 50.0 MB of 100.0 MB
            downloading: 75.0 MB of 100.0 MB
            downloading: 100.0 MB of 100.0 MB
            checking
            """);
  }

  @Test
  void redrawsItsLineOnATerminal() {
    try (ProgressBar bar = new ProgressBar(new PrintWriter(out), new Style(true), clock::get)) {
      bar.update("downloading", 0, 100_000_000);
      clock.set(50_000_000);
      bar.update("downloading", 1_000_000, 100_000_000); // too soon to be drawn
      clock.set(2_000_000_000);
      bar.update("downloading", 50_000_000, 100_000_000);
    }
    String[] draws = out.toString().split("\r", -1);
    assertThat(draws).hasSize(3);
    assertThat(draws[2]).contains("50.0 MB of 100.0 MB  25.0 MB/s").endsWith("\n");
    assertThat(draws[2].chars().filter(c -> c == '━')).hasSize(30);
  }
}
