package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.sluice.router.testing.Answers;
import dev.sluice.router.testing.Collected;
import dev.sluice.router.testing.FakeWorker;
import dev.sluice.router.testing.Generator;
import dev.sluice.triton.GRPCInferenceServiceGrpc;
import dev.sluice.triton.InferParameter;
import dev.sluice.triton.InferTensorContents;
import dev.sluice.triton.ModelConfig;
import dev.sluice.triton.ModelConfigRequest;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.triton.ModelInferRequest.InferInputTensor;
import dev.sluice.triton.ModelInferResponse;
import dev.sluice.triton.ModelMetadataRequest;
import dev.sluice.triton.ModelReadyRequest;
import dev.sluice.triton.ModelStreamInferResponse;
import dev.sluice.triton.RepositoryIndexRequest;
import dev.sluice.triton.ServerLiveRequest;
import dev.sluice.triton.ServerMetadataRequest;
import dev.sluice.triton.ServerReadyRequest;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The Open Inference Protocol in front of fake workers. */
@Timeout(120)
class InferenceServiceTest {
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
  }

  private GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub stub() {
    return GRPCInferenceServiceGrpc.newBlockingStub(router.channel());
  }

  private static ByteString raw(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer buffer = ByteBuffer.allocate(4 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
    buffer.putInt(bytes.length).put(bytes).flip();
    return ByteString.copyFrom(buffer);
  }

  /** With one input of type BYTES, in raw contents, as Triton's clients send it. */
  private static ModelInferRequest.Builder request(String id, String text) {
    return ModelInferRequest.newBuilder()
        .setModelName("m")
        .setId(id)
        .addInputs(
            InferInputTensor.newBuilder().setName("text_input").setDatatype("BYTES").addShape(1))
        .addRawInputContents(raw(text));
  }

  private static String text(ModelInferResponse response) {
    ByteString raw = response.getRawOutputContents(0);
    int length = raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).getInt();
    assertThat(raw.size()).isEqualTo(4 + length);
    return raw.substring(4).toStringUtf8();
  }

  @Test
  void describesItselfAndItsModels() {
    assertThat(stub().serverLive(ServerLiveRequest.getDefaultInstance()).getLive()).isTrue();
    assertThat(stub().serverReady(ServerReadyRequest.getDefaultInstance()).getReady()).isTrue();
    assertThat(stub().serverMetadata(ServerMetadataRequest.getDefaultInstance()).getName())
        .isEqualTo("sluice");
    assertThat(ready("m", "")).isTrue();
    assertThat(ready("alias-of-m", "1")).isTrue();
    assertThat(ready("m", "2")).isFalse();
    assertThat(ready("other", "")).isFalse();
    assertThat(
            stub()
                .modelMetadata(ModelMetadataRequest.newBuilder().setName("m").build())
                .getInputsList())
        .anyMatch(i -> i.getName().equals("text_input") && i.getDatatype().equals("BYTES"));
    ModelConfig config =
        stub().modelConfig(ModelConfigRequest.newBuilder().setName("m").build()).getConfig();
    assertThat(config.getModelTransactionPolicy().getDecoupled()).isTrue();
    assertThat(config.getParametersOrThrow("context_length").getStringValue()).isEqualTo("2048");
    assertThat(stub().repositoryIndex(RepositoryIndexRequest.getDefaultInstance()).getModelsList())
        .singleElement()
        .matches(m -> m.getName().equals("m") && m.getState().equals("READY"));
  }

  private boolean ready(String name, String version) {
    return stub()
        .modelReady(ModelReadyRequest.newBuilder().setName(name).setVersion(version).build())
        .getReady();
  }

  @Test
  void oneAnswerInOneMessage() {
    ModelInferResponse response =
        stub()
            .modelInfer(
                request("r1", "hello")
                    .putParameters(
                        "max_tokens", InferParameter.newBuilder().setInt64Param(7).build())
                    .putParameters(
                        "temperature", InferParameter.newBuilder().setStringParam("0.5").build())
                    .build());
    assertThat(response.getId()).isEqualTo("r1");
    assertThat(response.getModelName()).isEqualTo("m");
    assertThat(response.getOutputs(0).getName()).isEqualTo("text_output");
    assertThat(text(response)).isEqualTo("t0 t1 t2 ");
    GenerateRequest request = worker.takeRequest();
    assertThat(request.getText()).isEqualTo("hello");
    assertThat(request.getStopping().getMaxTokens()).isEqualTo(7);
    assertThat(request.getSampling().getTemperature()).isEqualTo(0.5f);
  }

  @Test
  void samplingParametersAsJsonAndTokenIdsAsPrompt() {
    ModelInferResponse response =
        stub()
            .modelInfer(
                ModelInferRequest.newBuilder()
                    .setModelName("m")
                    .addInputs(
                        InferInputTensor.newBuilder()
                            .setName("input_ids")
                            .setDatatype("INT64")
                            .addShape(1)
                            .addShape(3)
                            .setContents(
                                InferTensorContents.newBuilder()
                                    .addInt64Contents(5)
                                    .addInt64Contents(6)
                                    .addInt64Contents(7)))
                    .addInputs(
                        InferInputTensor.newBuilder()
                            .setName("sampling_parameters")
                            .setDatatype("BYTES")
                            .addShape(1)
                            .setContents(
                                InferTensorContents.newBuilder()
                                    .addBytesContents(
                                        ByteString.copyFromUtf8(
                                            "{\"top_k\":\"4\",\"stop\":[\"x\"],\"seed\":9}"))))
                    .addOutputs(
                        ModelInferRequest.InferRequestedOutputTensor.newBuilder()
                            .setName("output_ids"))
                    .build());
    GenerateRequest request = worker.takeRequest();
    assertThat(request.getTokenIds().getIdsList()).containsExactly(5, 6, 7);
    assertThat(request.getSampling().getTopK()).isEqualTo(4);
    assertThat(request.getSampling().getSeed()).isEqualTo(9);
    assertThat(request.getStopping().getStopList()).containsExactly("x");
    assertThat(response.getOutputs(1).getName()).isEqualTo("output_ids");
    assertThat(response.getOutputs(1).getShape(0)).isEqualTo(3);
  }

  @Test
  void saysWhatIsWrong() {
    refused(ModelInferRequest.newBuilder().setModelName("m"), "INVALID_ARGUMENT", "text_input");
    refused(request("r", "x").setModelName("gpt-9"), "NOT_FOUND", "gpt-9");
    refused(request("r", "x").setModelVersion("3"), "NOT_FOUND", "model_version: \"3\"");
    refused(
        request("r", "x")
            .putParameters("top_p", InferParameter.newBuilder().setStringParam("high").build()),
        "INVALID_ARGUMENT",
        "top_p: a string (expected: a number)");
    refused(
        request("r", "x").setRawInputContents(0, ByteString.copyFromUtf8("abc")),
        "INVALID_ARGUMENT",
        "text_input: its raw contents end within an element");
    refused(
        request("r", "x").setInputs(0, request("r", "x").getInputs(0).toBuilder().addShape(2)),
        "INVALID_ARGUMENT",
        "1 elements (expected: 2");
  }

  private void refused(ModelInferRequest.Builder request, String code, String message) {
    Assertions.assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(() -> stub().modelInfer(request.build()))
        .satisfies(e -> assertThat(e.getStatus().getCode().name()).isEqualTo(code))
        .withMessageContaining(message);
  }

  /** The client's side of a stream. */
  private static final class Stream extends ClientCall.Listener<ModelStreamInferResponse> {
    private final ClientCall<ModelInferRequest, ModelStreamInferResponse> call;
    private final LinkedBlockingQueue<ModelStreamInferResponse> messages =
        new LinkedBlockingQueue<>();
    private final LinkedBlockingQueue<Status> end = new LinkedBlockingQueue<>();

    Stream(RouterFixture router, Metadata headers) {
      call =
          router
              .channel()
              .newCall(GRPCInferenceServiceGrpc.getModelStreamInferMethod(), CallOptions.DEFAULT);
      call.start(this, headers);
      call.request(Integer.MAX_VALUE);
    }

    void send(ModelInferRequest.Builder request) {
      call.sendMessage(request.build());
    }

    ModelStreamInferResponse next() throws InterruptedException {
      ModelStreamInferResponse next = messages.poll(20, TimeUnit.SECONDS);
      assertThat(next).isNotNull();
      return next;
    }

    Status end() throws InterruptedException {
      Status status = end.poll(20, TimeUnit.SECONDS);
      assertThat(status).isNotNull();
      return status;
    }

    @Override
    public void onMessage(ModelStreamInferResponse message) {
      messages.add(message);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      end.add(status);
    }
  }

  @Test
  void manyRequestsOverOneStream() throws Exception {
    worker.script(new Generator("w1"));
    Stream stream = new Stream(router, new Metadata());
    for (int i = 0; i < 20; i++) {
      stream.send(
          request("r" + i, "x")
              .putParameters("max_tokens", InferParameter.newBuilder().setInt64Param(6).build())
              .putParameters("seed", InferParameter.newBuilder().setInt64Param(i % 2).build())
              .putParameters(
                  "triton_enable_empty_final_response",
                  InferParameter.newBuilder().setBoolParam(true).build()));
    }
    stream.call.halfClose();
    assertThat(stream.end().isOk()).isTrue();
    Map<String, StringBuilder> texts = new HashMap<>();
    List<String> ended = new ArrayList<>();
    for (ModelStreamInferResponse message : stream.messages) {
      assertThat(message.getErrorMessage()).isEmpty();
      ModelInferResponse part = message.getInferResponse();
      assertThat(ended).doesNotContain(part.getId());
      if (part.getParametersOrThrow("triton_final_response").getBoolParam()) {
        assertThat(part.getOutputsList()).isEmpty();
        ended.add(part.getId());
      } else {
        texts.computeIfAbsent(part.getId(), _ -> new StringBuilder()).append(text(part));
      }
    }
    assertThat(ended).hasSize(20);
    for (int i = 2; i < 20; i++) {
      assertThat(texts.get("r" + i)).asString().isEqualTo(String.valueOf(texts.get("r" + i % 2)));
    }
  }

  /** Whichever choice ends first, and also if one says nothing. */
  @Test
  void reasonsAndEchoesOfAStreamAreThoseOfTheirChoices() throws Exception {
    worker.script((request, out) -> {
      out.onNext(Answers.started("w1", request));
      out.onNext(Answers.delta(2, "said"));
      out.onNext(choiceFinished(3, 1, FinishReason.FINISH_REASON_STOP_STRING));
      out.onNext(choiceFinished(4, 0, FinishReason.FINISH_REASON_LENGTH));
      out.onNext(Answers.finished(5, 1));
      out.onCompleted();
    });
    Stream stream = new Stream(router, new Metadata());
    stream.send(
        request("r", "hello ")
            .putParameters("n", InferParameter.newBuilder().setInt64Param(2).build())
            .putParameters(
                "exclude_input_in_output", InferParameter.newBuilder().setBoolParam(false).build())
            .addOutputs(
                ModelInferRequest.InferRequestedOutputTensor.newBuilder()
                    .setName("finish_reason")));
    ModelInferResponse first = stream.next().getInferResponse();
    assertThat(first.getParametersOrThrow("choice").getInt64Param()).isZero();
    assertThat(text(first)).isEqualTo("hello said");
    ModelInferResponse second = stream.next().getInferResponse();
    assertThat(second.getParametersOrThrow("choice").getInt64Param()).isEqualTo(1);
    assertThat(text(second)).isEqualTo("hello ");
    ModelInferResponse ending = stream.next().getInferResponse();
    assertThat(ending.getOutputs(1).getName()).isEqualTo("finish_reason");
    assertThat(ending.getRawOutputContents(1)).isEqualTo(raw("length").concat(raw("stop")));
    stream.call.halfClose();
    assertThat(stream.end().isOk()).isTrue();
  }

  private static GenerateResponse choiceFinished(long sequence, int choice, FinishReason reason) {
    return GenerateResponse.newBuilder()
        .setSequence(sequence)
        .setChoiceFinished(ChoiceFinished.newBuilder().setChoice(choice).setReason(reason))
        .build();
  }

  @Test
  void aFailedRequestLeavesTheStreamOpen() throws Exception {
    Stream stream = new Stream(router, new Metadata());
    stream.send(request("bad", "x").setModelName("gpt-9"));
    ModelStreamInferResponse failed = stream.next();
    assertThat(failed.getErrorMessage()).startsWith("NOT_FOUND: ").contains("gpt-9");
    assertThat(failed.getInferResponse().getId()).isEqualTo("bad");
    stream.send(ModelInferRequest.newBuilder().setId("worse"));
    assertThat(stream.next().getErrorMessage()).startsWith("INVALID_ARGUMENT: ");
    stream.send(request("good", "x"));
    assertThat(text(stream.next().getInferResponse())).isEqualTo("t0 ");
    stream.call.halfClose();
    assertThat(stream.end().isOk()).isTrue();
  }

  @Test
  void aFailedRequestEndsTheStreamOfWhoWantsIt() throws Exception {
    Metadata headers = new Metadata();
    headers.put(Metadata.Key.of("triton_grpc_error", Metadata.ASCII_STRING_MARSHALLER), "true");
    Stream stream = new Stream(router, headers);
    stream.send(request("bad", "x").setModelName("gpt-9"));
    assertThat(stream.end().getCode()).isEqualTo(Status.Code.NOT_FOUND);
  }

  @Test
  void aCancelledStreamCancelsItsRequests() throws Exception {
    CountDownLatch cancelled = new CountDownLatch(3);
    worker.script((request, out) -> {
      out.setOnCancelHandler(cancelled::countDown);
      out.onNext(Answers.started("w1", request));
      out.onNext(Answers.delta(2, "first"));
    });
    Stream stream = new Stream(router, new Metadata());
    for (int i = 0; i < 3; i++) {
      stream.send(request("r" + i, "x"));
    }
    for (int i = 0; i < 3; i++) {
      assertThat(text(stream.next().getInferResponse())).isEqualTo("first");
    }
    stream.call.cancel("the test hangs up", null);
    assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aCancelledCallCancelsItsRequest() throws Exception {
    CountDownLatch arrived = new CountDownLatch(1);
    CountDownLatch cancelled = new CountDownLatch(1);
    worker.script((request, out) -> {
      out.setOnCancelHandler(cancelled::countDown);
      arrived.countDown();
    });
    Collected<ModelInferResponse> call =
        Collected.start(
            router.channel(),
            GRPCInferenceServiceGrpc.getModelInferMethod(),
            CallOptions.DEFAULT,
            request("r", "x").build(),
            1);
    assertThat(arrived.await(20, TimeUnit.SECONDS)).isTrue();
    call.cancel();
    assertThat(cancelled.await(20, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void theDeadlineHolds() {
    worker.script((request, out) -> {}); // says nothing
    Assertions.assertThatExceptionOfType(StatusRuntimeException.class)
        .isThrownBy(() ->
            stub()
                .modelInfer(
                    request("r", "x")
                        .putParameters(
                            "timeout", InferParameter.newBuilder().setInt64Param(50_000).build())
                        .build()))
        .satisfies(
            e -> assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED));
  }
}
