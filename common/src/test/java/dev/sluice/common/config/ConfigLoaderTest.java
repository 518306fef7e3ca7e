package dev.sluice.common.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {
  @TempDir Path directory;

  @Test
  void withoutSourcesTheDefaultsAreUsed() {
    assertThat(load("", Map.of(), Map.of())).isEqualTo(Sample.defaults());
    assertThat(
            ConfigLoader.load(Sample.class, Sample.defaults(), Optional.empty(), Map.of(), Map.of())
                .config())
        .isEqualTo(Sample.defaults());
  }

  @Test
  void readsEveryKindOfValueFromYaml() {
    Sample config =
        load(
            """
            name: "a: b"
            model: /m/x.gguf
            scheduler:
              max-sequences: 8
              max-batched-tokens: 16_384
              headroom: 0.25
              policy: first-come
            net.timeout: 250ms
            net:
              reuse: false
              buffer: 64KiB
            workers: [a:1, "b:2"]
            alias: default
            limit: null
            threads: 4
            """,
            Map.of(),
            Map.of());
    assertThat(config)
        .isEqualTo(
            new Sample(
                "a: b",
                Path.of("/m/x.gguf"),
                new Sample.Scheduler(8, 16384, 0.25, Sample.Policy.FIRST_COME),
                new Sample.Net(false, Duration.ofMillis(250), ByteSize.ofKiB(64)),
                List.of("a:1", "b:2"),
                Optional.of("default"),
                Optional.empty(),
                Optional.of(4)));
  }

  @Test
  void flagsWinOverEnvironmentWinsOverFileWinsOverDefaults() {
    String yaml = "scheduler: {max-sequences: 2, max-batched-tokens: 2000}\nname: file";
    Map<String, String> env =
        Map.of("SLUICE_SCHEDULER_MAX_SEQUENCES", "3", "SLUICE_NAME", "environment");
    Map<String, String> flags = Map.of("scheduler.max-sequences", "4");
    Sample config = load(yaml, env, flags);
    assertThat(config.scheduler().maxSequences()).isEqualTo(4);
    assertThat(config.name()).isEqualTo("environment");
    assertThat(config.scheduler().maxBatchedTokens()).isEqualTo(2000);
    assertThat(config.scheduler().headroom()).isEqualTo(0.5);
  }

  @Test
  void listsAndAbsentValuesOutsideYaml() {
    Sample config =
        load("", Map.of("SLUICE_WORKERS", "a:1, b:2", "SLUICE_LIMIT", ""), Map.of("alias", "x"));
    assertThat(config.workers()).containsExactly("a:1", "b:2");
    assertThat(config.limit()).isEmpty();
    assertThat(config.alias()).contains("x");
  }

  @Test
  void anUnknownKeyIsRefusedWithItsLineAndTheNearestKey() {
    assertProblems("name: x\nscheduler:\n  max-sequence: 3\n", Map.of(), Map.of())
        .containsExactly(
            file()
                + ":3: scheduler.max-sequence: unknown key"
                + " (did you mean scheduler.max-sequences?)");
    assertProblems("max-sequences: 3\n", Map.of(), Map.of())
        .containsExactly(
            file() + ":1: max-sequences: unknown key (did you mean scheduler.max-sequences?)");
    assertProblems("shedule: {a: {b: 1}}\n", Map.of(), Map.of())
        .containsExactly(file() + ":1: shedule: unknown key (did you mean scheduler?)");
  }

  @Test
  void unknownVariablesAndFlagsAreRefused() {
    assertProblems("", Map.of("SLUICE_NAMES", "x"), Map.of())
        .containsExactly("SLUICE_NAMES: unknown variable (did you mean SLUICE_NAME?)");
    assertProblems("", Map.of(), Map.of("net.timeot", "1s"))
        .containsExactly("--net.timeot: unknown flag (did you mean net.timeout?)");
  }

  @Test
  void variablesOfTheProcessAndOfKubernetesAreLeftAlone() {
    Map<String, String> env =
        Map.of(
            "PATH", "/bin",
            "SLUICE_HOME", "/h",
            "SLUICE_JAVA_OPTS", "-Xmx1g",
            "SLUICE_CONFIG", "c.yaml",
            "SLUICE_LOG", "debug",
            "SLUICE_ROUTER_SERVICE_HOST", "10.0.0.1",
            "SLUICE_ROUTER_PORT", "tcp://10.0.0.1:9090",
            "SLUICE_ROUTER_PORT_9090_TCP_ADDR", "10.0.0.1",
            "SLUICE_SERVICE_PORT_GRPC", "9090");
    assertThat(load("", env, Map.of())).isEqualTo(Sample.defaults());
  }

  @Test
  void aWrongTypeNamesSourceKeyValueAndExpectation() {
    assertProblems("\nscheduler:\n  max-sequences: many\n", Map.of(), Map.of())
        .containsExactly(
            file() + ":3: scheduler.max-sequences: \"many\" (expected: a whole number)");
    assertProblems("", Map.of("SLUICE_NET_TIMEOUT", "30"), Map.of())
        .containsExactly(
            "SLUICE_NET_TIMEOUT: net.timeout: \"30\""
                + " (expected: a duration such as 500ms, 30s or 10m)");
    assertProblems("", Map.of(), Map.of("scheduler.policy", "FAIR"))
        .containsExactly(
            "--scheduler.policy: scheduler.policy: \"FAIR\" (expected: one of first-come, fair)");
    assertProblems("scheduler: 5", Map.of(), Map.of())
        .singleElement()
        .asString()
        .contains("scheduler: a value (expected: a section with scheduler.max-sequences");
    assertProblems("name: {a: 1}\nworkers: [[1]]\nnet: {reuse: null}", Map.of(), Map.of())
        .containsExactly(
            file() + ":1: name: not a plain value (expected: a text)",
            file() + ":2: workers: an item is not a plain value (expected: a list of texts)",
            file() + ":3: net.reuse: nothing (expected: true or false)");
  }

  @Test
  void whatARecordRefusesNamesTheSourceOfTheKey() {
    assertProblems("scheduler:\n  max-sequences: 0\n", Map.of(), Map.of())
        .containsExactly(file() + ":2: scheduler.max-sequences: 0 (expected: 1 to 4096)");
    assertProblems(
            "scheduler: {headroom: 1}", Map.of("SLUICE_SCHEDULER_MAX_SEQUENCES", "900"), Map.of())
        .containsExactly(
            "SLUICE_SCHEDULER_MAX_SEQUENCES, "
                + file()
                + ":1: scheduler.max-batched-tokens: 512"
                + " (expected: at least max-sequences, 900)");
  }

  @Test
  void tellsAllProblemsAtOnce() {
    assertProblems(
            "nam: x\nnet: {timeout: soon}", Map.of("SLUICE_THREADS", "two"), Map.of("x", "1"))
        .hasSize(4);
  }

  @Test
  void brokenYamlNamesTheLine() {
    assertProblems("name: x\nnet: [a\nworkers: b\n", Map.of(), Map.of())
        .singleElement()
        .asString()
        .startsWith(file() + ":3: not YAML: ");
    assertProblems("name: a\nnet: {}\nname: b\n", Map.of(), Map.of())
        .containsExactly(file() + ":3: name: given twice (first on line 1)");
    assertProblems("- a\n", Map.of(), Map.of())
        .containsExactly(file() + ":1: expected one mapping of keys to values");
    assertProblems("name: a\n---\nname: b\n", Map.of(), Map.of())
        .containsExactly(file() + ":3: expected one mapping of keys to values");
    assertProblems("name: &a x\nalias: *a\n", Map.of(), Map.of())
        .containsExactly(file() + ":2: alias: not a plain value (expected: a text, or null)");
  }

  @Test
  void aFileThatCannotBeReadIsNamed() throws IOException {
    Path missing = directory.resolve("missing.yaml");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() ->
            ConfigLoader.load(
                Sample.class, Sample.defaults(), Optional.of(missing), Map.of(), Map.of()))
        .withMessage(missing + ": no such file");
    Files.write(missing, new byte[] {'a', (byte) 0xff});
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() ->
            ConfigLoader.load(
                Sample.class, Sample.defaults(), Optional.of(missing), Map.of(), Map.of()))
        .withMessage(missing + ": not text in UTF-8");
  }

  @Test
  void printsTheEffectiveConfiguration() {
    assertThat(new Loaded<>(Sample.defaults()).toYaml())
        .isEqualTo(
            """
            name: worker
            model: /models/a
            scheduler:
              max-sequences: 64
              max-batched-tokens: 512
              headroom: 0.5
              policy: fair
            net:
              reuse: true
              timeout: 30s
              buffer: 4MiB
            workers: []
            alias: null
            limit: 1500ms
            threads: null
            """);
  }

  @Test
  void refusesRecordsThatNeedAnUnknownType() {
    record Odd(Thread thread) {}
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            ConfigLoader.load(
                Odd.class, new Odd(Thread.currentThread()), Optional.empty(), Map.of(), Map.of()))
        .withMessageContaining("java.lang.Thread (expected: String, int");
  }

  private Path file() {
    return directory.resolve("sample.yaml");
  }

  private Sample load(String yaml, Map<String, String> env, Map<String, String> flags) {
    try {
      Files.writeString(file(), yaml);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return ConfigLoader.load(Sample.class, Sample.defaults(), Optional.of(file()), env, flags)
        .config();
  }

  private org.assertj.core.api.ListAssert<String> assertProblems(
      String yaml, Map<String, String> env, Map<String, String> flags) {
    try {
      Sample config = load(yaml, env, flags);
      throw new AssertionError("accepted: " + config);
    } catch (ConfigException e) {
      return assertThat(e.problems());
    }
  }
}
