package dev.sluice.common.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;

class ConfigProperties {
  @Property(tries = 300, seed = "7")
  void everyConfigurationLoadsFromWhatItPrints(@ForAll("samples") Sample config)
      throws IOException {
    assertThat(load(new Loaded<>(config).toYaml())).isEqualTo(config);
  }

  @Property(tries = 500, seed = "7")
  void anyTextIsReadOrRefused(@ForAll("junk") String yaml) throws IOException {
    try {
      load(yaml);
    } catch (ConfigException e) {
      assertThat(e.problems()).isNotEmpty().allSatisfy(problem -> assertThat(problem).isNotBlank());
    }
  }

  @Property(seed = "7")
  void sizesAndDurationsSurviveTheirText(@ForAll @LongRange(min = 0) long number) {
    assertThat(ByteSize.parse(new ByteSize(number).format()).bytes()).isEqualTo(number);
    Duration duration = Duration.ofNanos(number);
    assertThat(Durations.parse(Durations.format(duration))).isEqualTo(duration);
  }

  @Provide
  Arbitrary<Sample> samples() {
    Arbitrary<Sample.Scheduler> schedulers =
        Combinators.combine(
                Arbitraries.integers().between(1, 4096),
                Arbitraries.longs().between(4096, Long.MAX_VALUE),
                Arbitraries.doubles(),
                Arbitraries.of(Sample.Policy.class))
            .as(Sample.Scheduler::new);
    Arbitrary<Duration> durations =
        Arbitraries.longs().between(0, Long.MAX_VALUE).map(Duration::ofNanos);
    Arbitrary<Sample.Net> nets =
        Combinators.combine(
                Arbitraries.of(true, false),
                durations,
                Arbitraries.longs().between(0, Long.MAX_VALUE).map(ByteSize::new))
            .as(Sample.Net::new);
    return Combinators.combine(
            texts(),
            texts().filter(text -> text.indexOf('\0') < 0).map(Path::of),
            schedulers,
            nets,
            texts().list().ofMaxSize(4),
            texts().optional(),
            durations.optional(),
            Arbitraries.integers().optional())
        .as(Sample::new);
  }

  private static Arbitrary<String> texts() {
    // what YAML would take for something else, and any text
    return Arbitraries.oneOf(
        Arbitraries.of("", "null", "~", "yes", "No", "1e3", "0x1f", "- a", "a: b", "#", "a #b"),
        Arbitraries.of("*a", "&a", "!x", "%", "@", "`", "'", "\"", "|", ">", "{", "\t", "\n x\n"),
        Arbitraries.of("é", "日本", "\u2028", "\ufeff", "😀", "\u0085", "a\r\nb", "..", "/a b"),
        Arbitraries.strings().ascii().ofMaxLength(20));
  }

  @Provide
  Arbitrary<String> junk() {
    Arbitrary<String> pieces =
        Arbitraries.oneOf(
            Arbitraries.of("name", "scheduler", "net", "workers", "max-sequences", "limit", "x"),
            Arbitraries.of(": ", ":", "\n", "\n  ", "- ", "[", "]", "{", "}", ",", "'", "\"", "?"),
            Arbitraries.of(
                "&a ", "*a", "!!int ", "!!binary ", "!t ", "<<", "---\n", "...", "%YAML"),
            Arbitraries.of(
                "|\n", ">-\n", "#", "\t", "null", "1", "-1", "1e999", "true", "1s", "0b"),
            Arbitraries.strings().ofMaxLength(3));
    return pieces.list().ofMaxSize(30).map(list -> String.join("", list));
  }

  private static Sample load(String yaml) throws IOException {
    Path file = Files.createTempFile("sample", ".yaml");
    try {
      Files.write(file, yaml.getBytes(java.nio.charset.StandardCharsets.UTF_8));
      return ConfigLoader.load(
              Sample.class, Sample.defaults(), Optional.of(file), Map.of(), Map.of())
          .config();
    } finally {
      Files.delete(file);
    }
  }

  @Property(tries = 200, seed = "7")
  void anyFlagsAreReadOrRefused(@ForAll("args") List<String> args) {
    try {
      ConfigLoader.load(
          Sample.class,
          Sample.defaults(),
          Optional.empty(),
          Map.of(),
          Flags.parse(Sample.class, args));
    } catch (ConfigException e) {
      assertThat(e.problems()).isNotEmpty();
    }
  }

  @Provide
  Arbitrary<List<String>> args() {
    return Arbitraries.of(
            "--name", "--net.reuse", "--workers=a", "--limit=", "--", "-x", "5", "=", "--=", "--z")
        .list()
        .ofMaxSize(6);
  }
}
