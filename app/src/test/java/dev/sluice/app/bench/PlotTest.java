package dev.sluice.app.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.StringReader;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

final class PlotTest {
  private static Document parse(String svg) throws Exception {
    assertThat(svg).doesNotContain("NaN", "Infinity");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new InputSource(new StringReader(svg)));
  }

  private static Outcome outcome(long due, long ttft, long e2e, String failure) {
    return new Outcome(due, ttft, List.of(2_000_000L, 8_000_000L), e2e, 4, 0, 3, failure, "");
  }

  @Test
  void whatWasMeasuredIsDrawn() throws Exception {
    AtomicLong now = new AtomicLong();
    Recorder recorder = new Recorder(now::get);
    for (int i = 0; i < 40; i++) {
      now.set(i * 100_000_000L);
      recorder.addTokens(3);
      recorder.add(
          outcome(i * 100_000_000L, 5_000_000L * (i + 1), 300_000_000, i % 20 == 7 ? "LOST" : ""));
    }
    String svg = Plot.of("<model> & co", recorder);
    Document document = parse(svg);
    assertThat(svg)
        .contains("&lt;model&gt; &amp; co", "38 requests, 2 failed")
        .contains("p50 5 ms · p90 8 ms · p99 8 ms") // of the gaps
        .contains("at most 3; failures in red")
        .contains("27.1 on average"); // 38 * 3 tokens in 4.2 seconds
    assertThat(svg.split("class=\"failed\"", -1)).hasSize(1 + 2);
    assertThat(document.getElementsByTagName("circle").getLength()).isEqualTo(6);
  }

  @Test
  void nothingIsDrawnOfNothing() throws Exception {
    Recorder none = new Recorder(() -> 0);
    parse(Plot.of("none", none));
    none.add(outcome(0, 0, 1000, "LOST"));
    parse(Plot.of("all lost", none));
  }

  @Test
  void axesHaveRoundNumbers() {
    assertThat(Scale.linear(87, 0, 1).ticks()).containsExactly(0.0, 20.0, 40.0, 60.0, 80.0, 100.0);
    assertThat(new Scale(0, 28, false, 0, 1).ticks()).containsExactly(0.0, 10.0, 20.0);
    assertThat(Scale.logarithmic(3, 70, 0, 1).ticks()).containsExactly(5.0, 10.0, 20.0, 50.0);
    assertThat(Scale.logarithmic(0.5, 20_000, 0, 1).ticks())
        .containsExactly(1.0, 10.0, 100.0, 1000.0, 10_000.0);
    assertThat(Scale.logarithmic(42, 42, 0, 1).ticks()).hasSize(1);
  }
}
