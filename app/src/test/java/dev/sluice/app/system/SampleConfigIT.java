package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.Sluice.Result;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The sample configurations are ones that Sluice takes. */
final class SampleConfigIT {
  @Test
  void everySampleIsTaken() throws Exception {
    List<Path> samples;
    try (Stream<Path> files = Files.list(Sluice.distribution().resolve("config"))) {
      samples = files.sorted().toList();
    }
    assertThat(samples).hasSizeGreaterThan(2);
    for (Path sample : samples) {
      String role = sample.getFileName().toString().replaceFirst("[-.].*", "");
      Result result = Sluice.run(role, "--print-config", "--config", sample.toString());
      assertThat(result.code()).as(sample + ": " + result.err()).isZero();
    }
  }
}
