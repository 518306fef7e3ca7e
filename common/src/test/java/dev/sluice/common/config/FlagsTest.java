package dev.sluice.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.util.List;
import org.junit.jupiter.api.Test;

class FlagsTest {
  @Test
  void readsAllForms() {
    assertThat(
            Flags.parse(
                Sample.class,
                List.of(
                    "--scheduler.max-sequences",
                    "8",
                    "--net.timeout=1s",
                    "--net.reuse",
                    "--workers",
                    "a:1",
                    "--workers",
                    "b:2",
                    "--scheduler.headroom",
                    "-1")))
        .containsEntry("scheduler.max-sequences", "8")
        .containsEntry("net.timeout", "1s")
        .containsEntry("net.reuse", "true")
        .containsEntry("workers", "a:1,b:2")
        .containsEntry("scheduler.headroom", "-1");
    assertThat(Flags.parse(Sample.class, List.of("--net.reuse", "false")))
        .containsEntry("net.reuse", "false");
  }

  @Test
  void tellsEveryProblem() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() ->
            Flags.parse(
                Sample.class,
                List.of("stray", "--nam", "x", "--name", "a", "--name", "b", "--limit")))
        .satisfies(e ->
            assertThat(e.problems())
                .containsExactly(
                    "stray: unexpected argument (expected: --key value)",
                    "--nam: unknown flag (did you mean name?)",
                    "--name: given twice: \"a\" and \"b\"",
                    "--limit: no value"
                        + " (expected: a duration such as 500ms, 30s or 10m, or null)"));
  }

  @Test
  void listsEveryKeyForHelp() {
    assertThat(Flags.keys(Sample.defaults()))
        .contains(
            new Flags.Key(
                "net.buffer",
                "a size such as 4096, 64KiB, 256MiB or 1.5GiB",
                "4MiB",
                "SLUICE_NET_BUFFER"))
        .hasSize(13);
  }
}
