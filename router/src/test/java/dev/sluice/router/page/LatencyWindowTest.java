package dev.sluice.router.page;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.page.LatencyWindow.Quantiles;
import org.junit.jupiter.api.Test;

class LatencyWindowTest {
  private final LatencyWindow window = new LatencyWindow(200);

  @Test
  void nothingHasNoQuantiles() {
    assertThat(window.quantiles(0, 10)).isEmpty();
  }

  @Test
  void theSmallestValueThatSoManyDoNotExceed() {
    for (int i = 200; i >= 1; i--) {
      window.record(5, i);
    }
    assertThat(window.quantiles(5, 10)).hasValue(new Quantiles(100, 198));
  }

  @Test
  void ofFewTheTailIsTheLargest() {
    window.record(5, 70);
    assertThat(window.quantiles(5, 10)).hasValue(new Quantiles(70, 70));
    window.record(5, 30);
    assertThat(window.quantiles(5, 10)).hasValue(new Quantiles(30, 70));
  }

  @Test
  void whatIsOldIsForgotten() {
    window.record(0, 1000);
    window.record(8, 1);
    assertThat(window.quantiles(10, 10)).hasValue(new Quantiles(1, 1000));
    assertThat(window.quantiles(11, 10)).hasValue(new Quantiles(1, 1));
    assertThat(window.quantiles(19, 10)).isEmpty();
  }

  @Test
  void ofMoreThanFitTheLatestCount() {
    for (int i = 0; i < 1000; i++) {
      window.record(5, i < 800 ? 1_000_000 : 7);
    }
    assertThat(window.quantiles(5, 10)).hasValue(new Quantiles(7, 7));
  }
}
