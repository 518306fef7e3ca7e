package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.Sluice.Result;
import org.junit.jupiter.api.Test;

/** A router before many workers. */
final class SimulatedFleetIT {
  @Test
  void aRouterServesAHundredWorkers() throws Exception {
    try (Sluice fleet =
        Sluice.start(
            "simulate-fleet",
            "--workers=100",
            "--port=0",
            "--step=5ms",
            "--max-sequences=16",
            "--max-batched-tokens=256",
            "--kv-tokens=8192")) {
      String line = fleet.awaitOut(text -> text.startsWith("workers "));
      String workers = line.substring("workers ".length());
      assertThat(workers.split(",", -1)).hasSize(100);
      try (Sluice router =
          Sluice.start(
              "router", "--port=0", "--telemetry.metrics-port=0", "--workers=" + workers)) {
        String listens = router.awaitErr(text -> text.contains(" listens on "));
        String target = listens.replaceAll(".* listens on (127\\.0\\.0\\.1:\\d+),.*", "$1");
        router.awaitErr(text -> text.contains(" is READY"));
        Result bench =
            Sluice.run(
                "bench",
                "--target",
                target,
                "-c",
                "50",
                "-n",
                "200",
                "--input-len",
                "64",
                "--output-len",
                "16",
                "-o",
                "json");
        assertThat(bench.code()).as(bench.err()).isZero();
        assertThat(bench.out()).containsPattern("\"completed\" ?: ?200\\b");
      }
      fleet.signal("TERM");
      assertThat(fleet.await().code()).isZero();
    }
  }
}
