package dev.sluice.app.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.router.RouterConfig;
import dev.sluice.worker.WorkerConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged templates, schemas, regular expressions and configurations: none crashes, hangs,
 * overflows the stack or takes memory without bound. A few hundred each here; a campaign by {@code
 * mvn -pl app -am test -Dtest=FuzzTest -Dsurefire.failIfNoSpecifiedTests=false
 * -Dsluice.fuzz.inputs=200000}. The readers of checkpoints and the edges have tests of their own
 * (HostileFilesTest, EdgeFuzzIT).
 */
final class FuzzTest {
  private static final long SEED = Long.getLong("sluice.fuzz.seed", 20);

  @Test
  void templates() throws Exception {
    run(new TemplateTarget());
  }

  @Test
  void schemas() throws Exception {
    run(ConstraintTarget.schemas(tokenizer()));
  }

  @Test
  void regularExpressions() throws Exception {
    run(ConstraintTarget.expressions(tokenizer()));
  }

  @Test
  void configurationsOfRouters(@TempDir Path folder) throws Exception {
    run(
        new ConfigTarget<>(
            RouterConfig.class,
            RouterConfig.defaults(),
            List.of(
                """
                server:
                  port: 9090
                  host: 127.0.0.1
                workers: [10.0.0.1:9091, 'dns:///w:9091']
                policy: cost
                fleet:
                  silence-timeout: 10s
                  breaker: {window: 10}
                """,
                """
                http.port: 0
                proxy:
                  max-attempts: 3
                admission:
                  queue-timeout: 30s
                telemetry:
                  metrics-port: 0
                """),
            folder));
  }

  @Test
  void configurationsOfWorkers(@TempDir Path folder) throws Exception {
    run(
        new ConfigTarget<>(
            WorkerConfig.class,
            WorkerConfig.defaults(),
            List.of(
                """
                model:
                  name: smollm2-135m
                  quantization: int8
                  aliases: [a, b]
                scheduling:
                  itl-goal: 50ms
                  weights: ['a=2']
                memory: 2GiB
                kv-cache:
                  type: bf16
                """,
                """
                engine: {device: cpu, threads: 2, max-sequences: 32}
                server.port: 0
                worker-id: "a"
                """),
            folder));
  }

  private static void run(FuzzTarget target) throws InterruptedException {
    try (target) {
      Fuzzer.Result result = Fuzzer.run(target, Fuzzer.INPUTS, SEED);
      // Otherwise the damage was too much, or none, and nothing was tested.
      assertThat(result.right()).isPositive();
      assertThat(result.refused()).isPositive();
    }
  }

  /** Byte-level BPE without merges: a token for each of the 256 bytes, as GPT-2 writes them. */
  private static TokenizerBundle tokenizer() {
    int[] shifted = {256};
    String vocabulary =
        IntStream.range(0, 256)
            .mapToObj(b -> "\"" + escaped(printable(b) ? b : shifted[0]++) + "\":" + b)
            .collect(Collectors.joining(","));
    String part =
        "{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"trim_offsets\":true,\"use_regex\":true}";
    return new TokenizerBundle(
        "{\"version\":\"1.0\",\"added_tokens\":[{\"id\":256,\"content\":\"</s>\",\"single_word\":false,"
            + "\"lstrip\":false,\"rstrip\":false,\"normalized\":false,\"special\":true}],"
            + "\"normalizer\":null,\"pre_tokenizer\":"
            + part
            + ",\"post_processor\":null,\"decoder\":"
            + part
            + ",\"model\":{\"type\":\"BPE\",\"vocab\":{"
            + vocabulary
            + "},\"merges\":[]}}",
        "",
        "",
        "</s>",
        List.of(256),
        false);
  }

  private static boolean printable(int b) {
    return (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
  }

  private static String escaped(int codePoint) {
    return String.format("\\u%04x", codePoint);
  }
}
