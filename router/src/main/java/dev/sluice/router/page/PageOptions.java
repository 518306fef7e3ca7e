package dev.sluice.router.page;

import dev.sluice.common.config.Checks;
import java.time.Duration;

/**
 * The live page.
 *
 * @param enabled whether there is one
 * @param history how far back its charts go, one sample a second; 10 s to 1 h
 * @param requests how many recent requests it remembers; 0 to 2,000
 * @param viewers how many browsers may follow it at a time; 1 to 1,000
 */
public record PageOptions(boolean enabled, Duration history, int requests, int viewers) {
  public static final PageOptions DEFAULTS = new PageOptions(true, Duration.ofMinutes(10), 200, 32);

  public PageOptions {
    Checks.range("history", history, Duration.ofSeconds(10), Duration.ofHours(1));
    Checks.range("requests", requests, 0, 2000);
    Checks.range("viewers", viewers, 1, 1000);
  }
}
