package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Generator;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** OpenAI's API in front of fake workers, by HTTP. */
@Timeout(120)
class HttpEdgeTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String CHAT = "/v1/chat/completions";
  private static final String COMPLETIONS = "/v1/completions";
  private static final String HELLO =
      "\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]";

  private final HttpClient client = HttpClient.newHttpClient();
  private FakeWorker worker = FakeWorker.start("w1");
  private RouterFixture router = RouterFixture.over(worker);

  @BeforeEach
  void ready() {
    worker.script(worker.answer(3));
  }

  @AfterEach
  void close() {
    router.close();
    worker.close();
    client.close();
  }

  private HttpResponse<String> post(String path, String body) throws Exception {
    return client.send(request(path, body).build(), BodyHandlers.ofString());
  }

  private HttpRequest.Builder request(String path, String body) {
    return HttpRequest.newBuilder(router.http(path))
        .header("Content-Type", "application/json")
        .POST(HttpRequest.BodyPublishers.ofString(body));
  }

  private HttpResponse<String> get(String path) throws Exception {
    return client.send(HttpRequest.newBuilder(router.http(path)).build(), BodyHandlers.ofString());
  }

  private static JsonNode json(HttpResponse<String> response) throws IOException {
    return MAPPER.readTree(response.body());
  }

  /** The data of each event; the last one says that it is done. */
  private static List<String> events(String body) {
    List<String> events = new ArrayList<>();
    for (String event : body.split("\n\n", -1)) {
      if (!event.isEmpty()) {
        assertThat(event).startsWith("data: ").doesNotContain("\n");
        events.add(event.substring("data: ".length()));
      }
    }
    return events;
  }

  @Test
  void aWholeChat() throws Exception {
    HttpResponse<String> response = post(CHAT, "{" + HELLO + "}");
    assertThat(response.statusCode()).isEqualTo(200);
    JsonNode answer = json(response);
    assertThat(answer.path("id").asText())
        .startsWith("chatcmpl-")
        .isEqualTo(response.headers().firstValue("x-request-id").orElseThrow())
        .isEqualTo(worker.takeRequest().getRequestId());
    assertThat(answer.path("object").asText()).isEqualTo("chat.completion");
    assertThat(answer.path("created").asLong()).isGreaterThan(1_700_000_000L);
    assertThat(answer.path("model").asText()).isEqualTo("m");
    assertThat(answer.path("choices")).hasSize(1);
    JsonNode choice = answer.path("choices").get(0);
    assertThat(choice.path("message").path("role").asText()).isEqualTo("assistant");
    assertThat(choice.path("message").path("content").asText()).isEqualTo("t0 t1 t2 ");
    assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
    assertThat(choice.get("logprobs").isNull()).isTrue();
    assertThat(answer.path("usage").path("prompt_tokens").asInt()).isEqualTo(3);
    assertThat(answer.path("usage").path("completion_tokens").asInt()).isEqualTo(3);
    assertThat(answer.path("usage").path("total_tokens").asInt()).isEqualTo(6);
  }

  @Test
  void aStreamedChat() throws Exception {
    HttpResponse<String> response =
        post(CHAT, "{" + HELLO + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}}");
    assertThat(response.headers().firstValue("content-type")).hasValue("text/event-stream");
    List<String> events = events(response.body());
    assertThat(events.getLast()).isEqualTo("[DONE]");
    List<JsonNode> chunks = new ArrayList<>();
    for (String event : events.subList(0, events.size() - 1)) {
      chunks.add(MAPPER.readTree(event));
    }
    assertThat(chunks).hasSize(6); // role, three parts, end, usage
    assertThat(chunks)
        .allMatch(c -> c.path("object").asText().equals("chat.completion.chunk"))
        .allMatch(c -> c.path("id").equals(chunks.getFirst().path("id")))
        .allMatch(c -> c.path("created").equals(chunks.getFirst().path("created")));
    assertThat(chunks.getFirst().at("/choices/0/delta/role").asText()).isEqualTo("assistant");
    StringBuilder text = new StringBuilder();
    chunks.forEach(c -> text.append(c.at("/choices/0/delta/content").asText()));
    assertThat(text.toString()).isEqualTo("t0 t1 t2 ");
    assertThat(chunks.get(4).at("/choices/0/finish_reason").asText()).isEqualTo("stop");
    assertThat(chunks.subList(0, 5)).allMatch(c -> c.has("usage") && c.get("usage").isNull());
    assertThat(chunks.get(5).path("choices")).isEmpty();
    assertThat(chunks.get(5).at("/usage/completion_tokens").asInt()).isEqualTo(3);
  }

  @Test
  void aStreamWithoutUsageDoesNotMentionIt() throws Exception {
    String body = post(CHAT, "{" + HELLO + ",\"stream\":true}").body();
    assertThat(body).doesNotContain("usage").endsWith("data: [DONE]\n\n");
  }

  @Test
  void everyFieldArrives() throws Exception {
    post(
        CHAT,
        """
        {"model":"alias-of-m","max_completion_tokens":7,"temperature":0.5,"top_p":0.9,"top_k":40,
         "min_p":0.05,"repetition_penalty":1.1,"presence_penalty":0.2,"frequency_penalty":-0.3,
         "seed":42,"n":2,"stop":["a","b"],"stop_token_ids":[5],"min_tokens":2,"ignore_eos":true,
         "include_stop_str_in_output":true,"logit_bias":{"17":-100},"priority":-3,
         "cache_salt":"salt","prompt_cache_key":"talk-1","user":"somebody","metadata":{"a":"b"},
         "response_format":{"type":"json_schema",
           "json_schema":{"name":"x","strict":true,"schema":{"type":"integer"}}},
         "chat_template_kwargs":{"enable_thinking":false},
         "messages":[{"role":"developer","content":"be brief"},
           {"role":"user","name":"Ann","content":[{"type":"text","text":"one"},
             {"type":"text","text":"two"}]}]}
        """);
    GenerateRequest request = worker.takeRequest();
    assertThat(request.getModel()).isEqualTo("alias-of-m");
    assertThat(request.getStopping().getMaxTokens()).isEqualTo(7);
    assertThat(request.getSampling().getTemperature()).isEqualTo(0.5f);
    assertThat(request.getSampling().getTopP()).isEqualTo(0.9f);
    assertThat(request.getSampling().getTopK()).isEqualTo(40);
    assertThat(request.getSampling().getMinP()).isEqualTo(0.05f);
    assertThat(request.getSampling().getRepetitionPenalty()).isEqualTo(1.1f);
    assertThat(request.getSampling().getPresencePenalty()).isEqualTo(0.2f);
    assertThat(request.getSampling().getFrequencyPenalty()).isEqualTo(-0.3f);
    assertThat(request.getSampling().getSeed()).isEqualTo(42);
    assertThat(request.getSampling().getLogitBiasMap()).containsEntry(17, -100f);
    assertThat(request.getN()).isEqualTo(2);
    assertThat(request.getStopping().getStopList()).containsExactly("a", "b");
    assertThat(request.getStopping().getStopTokenIdsList()).containsExactly(5);
    assertThat(request.getStopping().getMinTokens()).isEqualTo(2);
    assertThat(request.getStopping().getIgnoreEos()).isTrue();
    assertThat(request.getStopping().getIncludeStop()).isTrue();
    assertThat(request.getPriority()).isEqualTo(3); // vLLM's order is the other way round
    assertThat(request.getCacheSalt()).isEqualTo("salt");
    assertThat(request.getSessionId()).isEqualTo("talk-1");
    assertThat(request.getConstraint().getJsonSchema()).isEqualTo("{\"type\":\"integer\"}");
    assertThat(request.getChat().getMessages(0).getRole()).isEqualTo("system");
    assertThat(request.getChat().getMessages(1).getContent()).isEqualTo("one\ntwo");
    assertThat(request.getChat().getMessages(1).getFields().getFieldsMap()).containsKey("name");
    assertThat(request.getChat().getTemplateArguments().getFieldsMap())
        .containsKey("enable_thinking");
  }

  @Test
  void headersArrive() throws Exception {
    String trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    HttpResponse<String> response =
        client.send(
            request(COMPLETIONS, "{\"prompt\":\"x\"}")
                .header("x-request-id", "mine")
                .header("x-sluice-tenant", "acme")
                .header("x-sluice-session", "talk-2")
                .header("x-sluice-timeout-ms", "30000")
                .header("traceparent", trace)
                .build(),
            BodyHandlers.ofString());
    assertThat(json(response).path("id").asText()).isEqualTo("cmpl-mine");
    GenerateRequest request = worker.takeRequest();
    assertThat(request.getRequestId()).isEqualTo("cmpl-mine");
    assertThat(request.getTenant()).isEqualTo("acme");
    assertThat(request.getSessionId()).isEqualTo("talk-2");
    assertThat(request.getStopping().getMaxTokens()).isEqualTo(16); // OpenAI's default
  }

  @Test
  void promptsTimesChoices() throws Exception {
    HttpResponse<String> response =
        post(COMPLETIONS, "{\"model\":\"m\",\"prompt\":[\"one\",\"two\",\"three\"],\"echo\":true}");
    JsonNode choices = json(response).path("choices");
    assertThat(choices).hasSize(3);
    for (int i = 0; i < 3; i++) {
      assertThat(choices.get(i).path("index").asInt()).isEqualTo(i);
      assertThat(choices.get(i).path("text").asText())
          .isEqualTo(List.of("one", "two", "three").get(i) + "t0 t1 t2 ");
    }
    assertThat(json(response).at("/usage/prompt_tokens").asInt()).isEqualTo(9);
  }

  @Test
  void severalChoicesOfOnePrompt() throws Exception {
    worker.script(new Generator("w1"));
    HttpResponse<String> response =
        post(COMPLETIONS, "{\"prompt\":[7,8],\"n\":3,\"max_tokens\":5,\"stream\":true}");
    List<String> events = events(response.body());
    String[] texts = {"", "", ""};
    int[] ends = new int[3];
    for (String event : events.subList(0, events.size() - 1)) {
      JsonNode choice = MAPPER.readTree(event).path("choices").get(0);
      texts[choice.path("index").asInt()] += choice.path("text").asText();
      if (!choice.path("finish_reason").isNull()) {
        assertThat(choice.path("finish_reason").asText()).isEqualTo("length");
        ends[choice.path("index").asInt()]++;
      }
    }
    assertThat(ends).containsExactly(1, 1, 1);
    assertThat(texts).doesNotContain("").doesNotHaveDuplicates();
    assertThat(worker.takeRequest().getTokenIds().getIdsList()).containsExactly(7, 8);
  }

  @Test
  void whatStoppedItIsTold() throws Exception {
    worker.script((request, out) -> {
      out.onNext(Answers.started("w1", request));
      out.onNext(Answers.delta(2, "text"));
      out.onNext(
          GenerateResponse.newBuilder()
              .setSequence(3)
              .setChoiceFinished(
                  ChoiceFinished.newBuilder()
                      .setReason(FinishReason.FINISH_REASON_STOP_STRING)
                      .setStop("###"))
              .build());
      out.onNext(Answers.finished(4, 1));
      out.onCompleted();
    });
    JsonNode choice = json(post(CHAT, "{" + HELLO + "}")).path("choices").get(0);
    assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
    assertThat(choice.path("stop_reason").asText()).isEqualTo("###");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "/v1/chat/completions | {\"messages\": | body | no JSON at line 1",
        "/v1/chat/completions | [] | body | no object",
        "/v1/chat/completions | {} x | body | no JSON at line 1",
        "/v1/chat/completions | {} | messages | missing",
        "/v1/chat/completions | {\"messages\":7} | messages | 7 (expected: a list of objects)",
        "/v1/chat/completions | {HELLO,\"temperature\":\"hot\"} | temperature | a string (expected:"
            + " a number)",
        "/v1/chat/completions | {HELLO,\"max_tokens\":1.5} | max_tokens | 1.5 (expected: a whole"
            + " number",
        "/v1/chat/completions | {HELLO,\"n\":99} | n | 99 (expected: a whole number from 1 to 16)",
        "/v1/chat/completions | {HELLO,\"stream\":\"yes\"} | stream | a string (expected: true or"
            + " false)",
        "/v1/chat/completions | {HELLO,\"tools\":[{\"type\":\"function\"}]} | tools | not"
            + " supported",
        "/v1/chat/completions | {HELLO,\"logit_bias\":{\"x\":1}} | logit_bias.x | no token id",
        "/v1/chat/completions | {HELLO,\"response_format\":{\"type\":\"xml\"}} |"
            + " response_format.type | expected: text, json_object or json_schema",
        "/v1/chat/completions | {\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
            + "\"image_url\"}]}]} | messages[0].content | parts of type \"text\"",
        "/v1/completions | {\"model\":\"m\"} | prompt | missing",
        "/v1/completions | {\"prompt\":[\"a\",7]} | prompt | a list (expected: a string",
        "/v1/completions | {\"prompt\":\"x\",\"suffix\":\"y\"} | suffix | not supported",
      })
  void saysWhatIsWrong(String path, String body, String param, String message) throws Exception {
    HttpResponse<String> response = post(path, body.replace("HELLO", HELLO));
    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = json(response).path("error");
    assertThat(error.path("type").asText()).isEqualTo("invalid_request_error");
    assertThat(error.path("param").asText()).isEqualTo(param);
    assertThat(error.path("message").asText()).startsWith(param + ": ").contains(message);
    assertThat(worker.requestCount()).isZero();
  }

  @Test
  void anUnknownModel() throws Exception {
    HttpResponse<String> response = post(COMPLETIONS, "{\"model\":\"gpt-9\",\"prompt\":\"x\"}");
    assertThat(response.statusCode()).isEqualTo(404);
    JsonNode error = json(response).path("error");
    assertThat(error.path("code").asText()).isEqualTo("model_not_found");
    assertThat(error.path("message").asText()).contains("gpt-9", "expected: one of [m]");
    assertThat(get("/v1/models/gpt-9").statusCode()).isEqualTo(404);
  }

  @Test
  void aBodyThatIsTooLarge() throws Exception {
    HttpResponse<String> response =
        post(COMPLETIONS, "{\"prompt\":\"" + "x".repeat(100_000) + "\"}");
    assertThat(response.statusCode()).isEqualTo(413);
    assertThat(json(response).at("/error/message").asText()).contains("expected: at most 65536");
    assertThat(post(COMPLETIONS, "{\"prompt\":\"x\"}").statusCode()).isEqualTo(200);
  }

  @Test
  void aBodyThatIsFarTooLargeIsCutOff() throws Exception {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), router.http("/").getPort())) {
      socket
          .getOutputStream()
          .write(
              "POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 99000000\r\n\r\n"
                  .getBytes(StandardCharsets.US_ASCII));
      byte[] part = new byte[65_536];
      int sent = 0;
      try {
        while (sent < 99_000_000) {
          socket.getOutputStream().write(part);
          sent += part.length;
        }
      } catch (IOException e) {
        assertThat(e).hasMessageMatching("(?i).*(broken pipe|reset|abort).*");
      }
      assertThat(sent).isLessThan(99_000_000);
    }
  }

  @Test
  void aPathAndAMethodThatAreNotThere() throws Exception {
    assertThat(get("/v2/other").statusCode()).isEqualTo(404);
    HttpResponse<String> response = get(CHAT);
    assertThat(response.statusCode()).isEqualTo(405);
    assertThat(response.headers().firstValue("allow")).hasValue("POST");
  }

  @ParameterizedTest
  @CsvSource({
    "/v1/models/m, 200, ''",
    "/v1/models/alias%2Dof-m, 200, ''",
    "/v1/models/%zz, 400, %zz",
    "/v1/models/%C3, 404, model_not_found",
    "/v1/models/a+b, 404, a+b",
    "/v1/models/a%20b, 404, a b",
  })
  void namesOfModelsInPaths(String path, int status, String said) throws Exception {
    // not by a client that mends paths
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), router.http("/").getPort())) {
      String head = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
      socket.setSoTimeout(20_000);
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(answer).startsWith("HTTP/1.1 " + status + " ").contains(said);
      JsonNode body = MAPPER.readTree(answer.substring(answer.indexOf("\r\n\r\n")));
      assertThat(body.has("error")).isEqualTo(status != 200);
    }
  }

  @Test
  void whatIsWrongIsToldOnce() throws Exception {
    HttpResponse<String> response =
        post(COMPLETIONS, "{\"prompt\":\"x\",\"n\":17,\"best_of\":1,\"return_token_ids\":1}");
    assertThat(json(response).at("/error/message").asText())
        .isEqualTo(
            "n: 17 (expected: a whole number from 1 to 16); return_token_ids: 1 (expected: true or"
                + " false)");
  }

  @Test
  void aBusyFleetSaysWhenToComeAgain() throws Exception {
    worker.watchers().tell(dev.sluice.v1.WorkerState.WORKER_STATE_DRAINING);
    dev.sluice.router.testing.Fleets.await(router.fleet(), s -> s.ready() == 0);
    HttpResponse<String> response = post(COMPLETIONS, "{\"prompt\":\"x\"}");
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(json(response).at("/error/code").asText()).isEqualTo("no_worker");
    assertThat(response.headers().firstValue("retry-after")).hasValue("1");
    assertThat(get("/health").statusCode()).isEqualTo(503);
  }

  @Test
  void aFailureInMidStreamIsTheLastEvent() throws Exception {
    worker.script((request, out) -> {
      out.onNext(Answers.started("w1", request));
      out.onNext(Answers.delta(2, "so far"));
      out.onError(Status.FAILED_PRECONDITION.withDescription("cannot go on").asRuntimeException());
    });
    List<String> events = events(post(CHAT, "{" + HELLO + ",\"stream\":true}").body());
    assertThat(events).doesNotContain("[DONE]");
    assertThat(MAPPER.readTree(events.getLast()).at("/error/message").asText())
        .isEqualTo("cannot go on");
  }

  @Test
  void theModelsAndTheState() throws Exception {
    JsonNode models = json(get("/v1/models"));
    assertThat(models.path("object").asText()).isEqualTo("list");
    assertThat(models.path("data").findValuesAsText("id")).containsExactly("m", "alias-of-m");
    assertThat(models.at("/data/0/max_model_len").asInt()).isEqualTo(2048);
    assertThat(json(get("/v1/models/m")).path("owned_by").asText()).isEqualTo("sluice");
    assertThat(get("/health").statusCode()).isEqualTo(200);
    assertThat(get("/metrics").statusCode()).isEqualTo(200);
    assertThat(json(get("/version")).path("version").asText()).isNotEmpty();
    assertThat(json(post("/tokenize", "{\"prompt\":\"x\"}")).path("tokens").get(0).asInt())
        .isEqualTo(7);
    assertThat(json(post("/detokenize", "{\"tokens\":[1]}")).path("prompt").asText())
        .isEqualTo("of w1");
  }

  @Test
  void aClientThatHangsUpEndsItsRequest() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(1);
    worker.script((request, out) -> {
      out.setOnCancelHandler(cancelled::countDown);
      out.onNext(Answers.started("w1", request));
      out.onNext(Answers.delta(2, "first"));
    });
    HttpResponse<InputStream> response =
        client.send(
            request(CHAT, "{" + HELLO + ",\"stream\":true}").build(), BodyHandlers.ofInputStream());
    byte[] begin = response.body().readNBytes(100);
    assertThat(new String(begin, StandardCharsets.UTF_8)).startsWith("data: ");
    response.body().close();
    assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aClientThatHangsUpBeforeItsFirstTokenEndsItsRequest() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    worker.script((request, out) -> {
      out.setOnCancelHandler(cancelled::countDown);
      arrived.countDown();
    });
    byte[] body = ("{" + HELLO + "}").getBytes(StandardCharsets.UTF_8);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), router.http("/").getPort())) {
      String head =
          "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().write(body);
      assertThat(arrived.await(20, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aClientThatDoesNotReadStopsTheWorker() throws Exception {
    int total = 12_000; // about 12 MiB: more than all buffers on the way
    String kib = "x".repeat(1024);
    CountDownLatch stalled = new CountDownLatch(1);
    AtomicInteger sent = new AtomicInteger();
    worker.script((request, out) -> {
      Runnable pump =
          () -> {
            while (out.isReady() && sent.get() <= total) {
              int sequence = sent.incrementAndGet();
              if (sequence == 1) {
                out.onNext(Answers.started("w1", request));
              } else if (sequence <= total) {
                out.onNext(Answers.delta(sequence, kib));
              } else {
                out.onNext(Answers.choiceFinished(sequence));
                out.onNext(Answers.finished(sequence + 1, total - 1));
                out.onCompleted();
                return;
              }
            }
            stalled.countDown();
          };
      out.setOnReadyHandler(pump);
      pump.run();
    });
    byte[] body = ("{" + HELLO + ",\"stream\":true}").getBytes(StandardCharsets.UTF_8);
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(1 << 14);
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), router.http("/").getPort()));
      String head =
          "POST " + CHAT + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + body.length + "\r\n\r\n";
      socket.getOutputStream().write(head.getBytes(StandardCharsets.US_ASCII));
      socket.getOutputStream().write(body);
      assertThat(stalled.await(20, TimeUnit.SECONDS)).isTrue();
      assertThat(sent.get()).isLessThan(total);
      long length = 0;
      String tail = "";
      byte[] part = new byte[1 << 16];
      while (!tail.contains("[DONE]")) {
        int read = socket.getInputStream().read(part);
        assertThat(read).isPositive();
        length += read;
        tail += new String(part, 0, read, StandardCharsets.UTF_8);
        tail = tail.substring(Math.max(0, tail.length() - 100));
      }
      assertThat(length).isGreaterThan(total * 1024L);
    }
  }

  @Test
  void aHundredStreamsAtATime() throws Exception {
    worker.script(new Generator("w1"));
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      String body = "{" + HELLO + ",\"stream\":true,\"max_tokens\":50,\"seed\":" + (i % 4) + "}";
      all.add(client.sendAsync(request(CHAT, body).build(), BodyHandlers.ofString()));
    }
    List<String> texts = new ArrayList<>();
    for (CompletableFuture<HttpResponse<String>> one : all) {
      List<String> events = events(one.get(60, TimeUnit.SECONDS).body());
      assertThat(events.getLast()).isEqualTo("[DONE]");
      StringBuilder text = new StringBuilder();
      for (String event : events.subList(0, events.size() - 1)) {
        text.append(MAPPER.readTree(event).at("/choices/0/delta/content").asText());
      }
      texts.add(text.toString());
    }
    for (int i = 4; i < 100; i++) {
      assertThat(texts.get(i)).isEqualTo(texts.get(i % 4)).isNotEmpty();
    }
  }

  @Test
  void textOfMoreThanOneByteArrivesWhole() throws Exception {
    worker.script((request, out) -> {
      out.onNext(Answers.started("w1", request));
      out.onNext(
          GenerateResponse.newBuilder()
              .setSequence(2)
              .setDelta(Delta.newBuilder().addTokenIds(1).setText("é \"quoted\" \n 日本 😀"))
              .build());
      out.onNext(Answers.choiceFinished(3));
      out.onNext(Answers.finished(4, 1));
      out.onCompleted();
    });
    assertThat(json(post(CHAT, "{" + HELLO + "}")).at("/choices/0/message/content").asText())
        .isEqualTo("é \"quoted\" \n 日本 😀");
  }
}
