package dev.sluice.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.TextFormat;
import dev.sluice.v1.GenerateRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
final class GenerateCommandTest {
  private FakeService service;

  @BeforeEach
  void start() throws Exception {
    service = new FakeService();
  }

  @AfterEach
  void stop() throws Exception {
    service.stop();
  }

  private Run generate(String... args) {
    String[] all = new String[args.length + 3];
    all[0] = "generate";
    all[1] = "--target";
    all[2] = service.target();
    System.arraycopy(args, 0, all, 3, args.length);
    return Run.of(all);
  }

  private GenerateRequest request() {
    return service.requests.getLast();
  }

  @Test
  void printsTheAnswerAndNothingElse() {
    assertThat(generate("to be or not")).isEqualTo(new Run(0, "to be or not\n", ""));
    assertThat(request().getChat().getMessages(0).getRole()).isEqualTo("user");
    assertThat(request().hasBeam()).isFalse();
    assertThat(request().hasConstraint()).isFalse();
    assertThat(request().hasLogprobs()).isFalse();
  }

  @Test
  void statsGoToStandardError() {
    Run run = generate("hi", "--stats");
    assertThat(run.out()).isEqualTo("hi\n");
    assertThat(run.err())
        .isEqualTo(
            "queue 840 µs · prefill 0 µs (5 tokens, 0 cached) · TTFT 12.3 ms · ITL 20.0 ms (max"
                + " 25.0 ms) · 3 tokens · 50.0 tokens/s · total 4.56 s\n");
  }

  @Test
  void furtherChoicesFollowTheFirst() {
    assertThat(generate("a b", "--n", "2").out()).isEqualTo("a b\n--- choice 1 ---\na b\n");
  }

  @Test
  void jsonIsOneMessagePerLine() {
    Run run = generate("a b", "--output", "json");
    assertThat(run.out().lines()).hasSize(5);
    assertThat(run.out().lines().skip(1).findFirst())
        .contains("{\"sequence\":\"2\",\"delta\":{\"text\":\"a \"}}");
  }

  @Test
  void readsThePromptFromStandardInput() {
    assertThat(
            Run.withInput("grüße\n", "generate", "--raw", "-", "--target", service.target()).out())
        .isEqualTo("grüße\n");
    assertThat(request().getText()).isEqualTo("grüße\n");
  }

  @Test
  void everyFieldHasAFlag(@TempDir Path dir) throws Exception {
    Path schema = Files.writeString(dir.resolve("schema.json"), "{\"type\":\"object\"}");
    Run run =
        generate(
            ("--system s --model m --temperature 0.5 --top-k 3 --top-p 0.25 --min-p 0.125"
                 + " --typical-p 0.75 --repetition-penalty 1.5 --presence-penalty -1"
                 + " --frequency-penalty 2 --logit-bias 5=-100 --logit-bias 6=1.5"
                 + " --allowed-token-id 1,2 --banned-token-id 3 --seed 7 --max-tokens 9"
                 + " --min-tokens 2 --stop A --stop B --stop-token-id 4 --include-stop --ignore-eos"
                 + " --n 2 --logprobs 0 --prompt-logprobs 5 --priority -3 --tenant t --session c"
                 + " --cache-salt x --ttft-target 1500ms --request-id r --template-argument"
                 + " enable_thinking=false --no-generation-prompt --json-schema @"
                    + schema
                    + " hello")
                .split(" ", -1));
    assertThat(run.err()).isEmpty();
    assertThat(request())
        .isEqualTo(
            TextFormat.parse(
                """
                request_id: "r" model: "m"
                chat {
                  messages { role: "system" content: "s" }
                  messages { role: "user" content: "hello" }
                  add_generation_prompt: false
                  template_arguments { fields { key: "enable_thinking" value { bool_value: false } } }
                }
                sampling {
                  temperature: 0.5 top_k: 3 top_p: 0.25 min_p: 0.125 typical_p: 0.75
                  repetition_penalty: 1.5 presence_penalty: -1 frequency_penalty: 2
                  logit_bias { key: 5 value: -100 } logit_bias { key: 6 value: 1.5 }
                  allowed_token_ids: [1, 2] banned_token_ids: 3 seed: 7
                }
                n: 2
                stopping {
                  max_tokens: 9 min_tokens: 2 stop: ["A", "B"] stop_token_ids: 4
                  include_stop: true ignore_eos: true
                }
                logprobs { output: 0 prompt: 5 }
                constraint { json_schema: '{"type":"object"}' }
                ttft_target { seconds: 1 nanos: 500000000 }
                priority: -3 tenant: "t" session_id: "c" cache_salt: "x"
                """,
                GenerateRequest.class));
  }

  @Test
  void conversationComesFromJson() {
    generate(
        "--messages",
        "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]",
        "--continue-final-message");
    assertThat(request().getChat().getMessages(1).getContent()).isEqualTo("b");
    assertThat(request().getChat().getContinueFinalMessage()).isTrue();
  }

  @Test
  void tokensAndConstraints() {
    generate("--token-ids", "1,2,3", "--regex", "[0-9]+");
    assertThat(request().getTokenIds().getIdsList()).containsExactly(1, 2, 3);
    assertThat(request().getConstraint().getRegex()).isEqualTo("[0-9]+");
    generate("x", "--choice", "yes", "--choice", "no", "--beam-width", "4");
    assertThat(request().getConstraint().getChoices().getValuesList()).containsExactly("yes", "no");
    assertThat(request().getBeam().getWidth()).isEqualTo(4);
    assertThat(request().hasSampling()).isFalse();
  }

  @Test
  void serversRefusalIsOneLineAndUsage() {
    assertThat(generate("x", "--temperature", "9"))
        .isEqualTo(
            new Run(2, "", "sluice: INVALID_ARGUMENT: temperature: 9.0 (expected: 0.0 to 2.0)\n"));
  }

  @Test
  void wrongUsageSaysWhatIsWrong() {
    assertThat(generate()).extracting(Run::code).isEqualTo(2);
    assertThat(generate().err())
        .isEqualTo(
            "sluice: no prompt (expected: PROMPT, - for standard input, --messages or"
                + " --token-ids)\n");
    assertThat(generate("x", "--temperatur", "1").err())
        .contains("Unknown options: '--temperatur', '1'")
        .contains("--temperature");
    assertThat(generate("x", "--timeout", "soon").err())
        .contains("soon")
        .contains("(expected: a duration such as 500ms, 30s or 10m)");
    assertThat(generate("x", "--raw", "--system", "s").code()).isEqualTo(2);
    assertThat(generate("x", "--regex", "a", "--choice", "b").code()).isEqualTo(2);
  }

  @Test
  void noServerSaysHowToStartOne() throws Exception {
    String target = service.target();
    service.stop();
    Run run = Run.of("generate", "x", "--target", target);
    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err())
        .contains("UNAVAILABLE")
        .contains(target.substring(target.indexOf(':')))
        .contains("sluice up");
    assertThat(run.err().lines()).hasSize(1);
  }

  @Test
  void chatRemembersUntilReset() {
    Run run =
        Run.withInput(
            "one\ntwo\n/reset\nthree\n/nonsense\n/bye\nnever",
            "chat",
            "--system",
            "s",
            "--target",
            service.target());
    assertThat(run.code()).isZero();
    assertThat(run.out()).isEqualTo("one\ntwo\nthree\n");
    assertThat(run.err()).contains("/nonsense: unknown command");
    assertThat(service.requests).hasSize(3);
    assertThat(service.requests.get(1).getChat().getMessagesList())
        .extracting(m -> m.getRole() + ":" + m.getContent())
        .containsExactly("system:s", "user:one", "assistant:one", "user:two");
    assertThat(service.requests.get(2).getChat().getMessagesCount()).isEqualTo(2);
  }
}
