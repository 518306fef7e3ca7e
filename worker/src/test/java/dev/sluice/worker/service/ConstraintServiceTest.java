package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.sluice.v1.Beam;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Choices;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GeneratedChoice;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.worker.engine.EngineConfig;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Constraints over a real socket, with a simulated model whose tokens are bytes. */
@Timeout(60)
final class ConstraintServiceTest {
  private static final String HOSTILE = "(x|y)*x(x|y){20}";

  private static WorkerFixture worker;

  @BeforeAll
  static void start() {
    worker = WorkerFixture.serving();
  }

  @AfterAll
  static void stop() {
    worker.close();
  }

  private static Constraint regex(String pattern) {
    return Constraint.newBuilder().setRegex(pattern).build();
  }

  private static Constraint choices(String... values) {
    return Constraint.newBuilder()
        .setChoices(Choices.newBuilder().addAllValues(List.of(values)))
        .build();
  }

  private static Constraint schema(String schema) {
    return Constraint.newBuilder().setJsonSchema(schema).build();
  }

  private static GenerateRequest.Builder request(Constraint constraint, long seed) {
    return GenerateRequest.newBuilder()
        .setText("constrain me")
        .setSampling(Sampling.newBuilder().setSeed(seed))
        .setStopping(Stopping.newBuilder().setMaxTokens(100))
        .setConstraint(constraint);
  }

  private static GeneratedChoice answer(GenerateRequest.Builder request) {
    return worker
        .generation()
        .generateOnce(GenerateOnceRequest.newBuilder().setRequest(request).build())
        .getResult()
        .getChoices(0);
  }

  private static FinishReason reason(GeneratedChoice choice) {
    return choice.getFinished().getReason();
  }

  @Test
  void oneOfTheChoicesComesOut() {
    for (int seed = 0; seed < 20; seed++) {
      GeneratedChoice answer = answer(request(choices("yes", "no", "\u20AC 5"), seed));
      assertThat(answer.getText()).isIn("yes", "no", "\u20AC 5");
      assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_CONSTRAINT_DONE);
    }
  }

  @Test
  void endOfSequenceComesOnlyWhereTheOutputConforms() {
    List<FinishReason> reasons = new ArrayList<>();
    for (int seed = 0; seed < 60; seed++) {
      GeneratedChoice answer = answer(request(regex("[abc]{2,5}"), seed));
      assertThat(answer.getText()).matches("[abc]{2,5}");
      reasons.add(reason(answer));
      if (reason(answer) == FinishReason.FINISH_REASON_CONSTRAINT_DONE) {
        assertThat(answer.getText()).hasSize(5);
      }
    }
    assertThat(reasons)
        .containsOnly(
            FinishReason.FINISH_REASON_CONSTRAINT_DONE, FinishReason.FINISH_REASON_STOP_EOS)
        .contains(FinishReason.FINISH_REASON_CONSTRAINT_DONE, FinishReason.FINISH_REASON_STOP_EOS);
  }

  @Test
  void stoppingFieldsKeepTheirMeaning() {
    for (int seed = 0; seed < 20; seed++) {
      GenerateRequest.Builder long4 = request(regex("[abc]{2,5}"), seed);
      long4.getStoppingBuilder().setMinTokens(4);
      assertThat(answer(long4).getText()).matches("[abc]{4,5}");

      GenerateRequest.Builder endless = request(regex("[abc]{2,5}"), seed);
      endless.getStoppingBuilder().setIgnoreEos(true);
      assertThat(answer(endless).getText()).matches("[abc]{5}");

      GenerateRequest.Builder cut = request(regex("[abc]{9}"), seed);
      cut.getStoppingBuilder().setMaxTokens(3);
      assertThat(reason(answer(cut))).isEqualTo(FinishReason.FINISH_REASON_LENGTH);

      GenerateRequest.Builder stopped = request(regex("[ab]{50}"), seed);
      stopped.getStoppingBuilder().addStop("ab");
      ChoiceFinished finished = answer(stopped).getFinished();
      assertThat(finished.getStop()).isEqualTo("ab");
    }
  }

  @Test
  void jsonComesOut() {
    for (int seed = 0; seed < 10; seed++) {
      GenerateRequest.Builder request =
          request(
              schema(
                  "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":10,"
                      + "\"maximum\":99},\"b\":{\"enum\":[\"x\",null]}},\"required\":[\"a\",\"b\"]}"),
              seed);
      GeneratedChoice answer = answer(request);
      assertThat(answer.getText().replaceAll("\\s", ""))
          .matches("\\{\"a\":[1-9]\\d,\"b\":(\"x\"|null)\\}");
      assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_CONSTRAINT_DONE);
    }
  }

  @Test
  void whereNoTokenIsLeftTheChoiceEnds() {
    GenerateRequest.Builder request = request(choices("ab"), 1);
    request.getSamplingBuilder().addBannedTokenIds('b');
    GeneratedChoice answer = answer(request);
    assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_CONSTRAINT_DEAD_END);
    assertThat(answer.getText()).isEqualTo("a");

    request.getSamplingBuilder().addBannedTokenIds('a');
    answer = answer(request);
    assertThat(reason(answer)).isEqualTo(FinishReason.FINISH_REASON_CONSTRAINT_DEAD_END);
    assertThat(answer.getText()).isEmpty();
  }

  @Test
  void everyChoiceConforms() {
    GenerateRequest request = request(regex("\\d{3}[a-z]{0,3}"), 5).setN(4).build();
    List<GeneratedChoice> choices =
        worker
            .generation()
            .generateOnce(GenerateOnceRequest.newBuilder().setRequest(request).build())
            .getResult()
            .getChoicesList();
    assertThat(choices).hasSize(4);
    for (GeneratedChoice choice : choices) {
      assertThat(choice.getText()).matches("\\d{3}[a-z]{0,3}");
    }
  }

  @Test
  void theSameSeedGivesTheSameText() {
    GenerateRequest.Builder request = request(regex("[a-z]{20}"), 11);
    String text = answer(request).getText();
    List<CompletableFuture<String>> others = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      others.add(CompletableFuture.supplyAsync(() -> answer(request.clone()).getText()));
    }
    others.forEach(other -> assertThat(other.join()).isEqualTo(text));
  }

  private static void assertInvalid(GenerateRequest.Builder request, String message) {
    StatusRuntimeException e =
        catchThrowableOfType(StatusRuntimeException.class, () -> answer(request));
    assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(e.getStatus().getDescription()).contains(message);
  }

  @Test
  void whatIsWrongIsNamed() {
    assertInvalid(request(regex("(?=a)"), 0), "constraint.regex: regular expression");
    assertInvalid(request(schema("{\"not\":{}}"), 0), "constraint.json_schema: #: not");
    assertInvalid(request(choices(), 0), "constraint.choices.values: 0 strings");
    assertInvalid(request(choices("a", "a"), 0), "equal");
    assertInvalid(request(choices("a", ""), 0), "constraint.choices.values[1]: empty");
    assertInvalid(request(Constraint.getDefaultInstance(), 0), "constraint: no kind");
    assertInvalid(
        request(regex("a"), 0).clearSampling().setBeam(Beam.newBuilder().setWidth(2)),
        "constraint: set beside beam");
  }

  /** Many hostile constraints at once; a stream beside them hardly notices. */
  @Test
  void hostileConstraintsHarmNobodyElse() throws Exception {
    try (WorkerFixture paced =
        new WorkerFixture(
            WorkerFixture.SMALL, EngineConfig.defaults(), _ -> LockSupport.parkNanos(2_000_000))) {
      paced.serve();
      Iterator<GenerateResponse> stream =
          paced
              .generation()
              .generate(
                  GenerateRequest.newBuilder()
                      .setText("steady")
                      .setStopping(Stopping.newBuilder().setMaxTokens(400).setIgnoreEos(true))
                      .build());
      assertThat(stream.next().hasStarted()).isTrue();
      List<CompletableFuture<Status.Code>> refused = new ArrayList<>();
      for (int i = 0; i < 12; i++) {
        GenerateRequest hostile = request(regex(HOSTILE + "z{" + i + "}"), 0).build();
        refused.add(CompletableFuture.supplyAsync(() -> end(paced, hostile)));
      }
      GenerateResponse last = stream.next();
      while (stream.hasNext()) {
        last = stream.next();
      }
      assertThat(last.getFinished().getTimings().getItlMaxNanos())
          .isLessThan(TimeUnit.SECONDS.toNanos(2));
      for (CompletableFuture<Status.Code> code : refused) {
        assertThat(code.get(40, TimeUnit.SECONDS)).isEqualTo(Status.Code.INVALID_ARGUMENT);
      }
    }
  }

  private static Status.Code end(WorkerFixture fixture, GenerateRequest request) {
    try {
      fixture.generation().generate(request).forEachRemaining(_ -> {});
      return Status.Code.OK;
    } catch (StatusRuntimeException e) {
      return e.getStatus().getCode();
    }
  }

  /** A deadline that passes while the constraint is compiled or waits for that. */
  @Test
  void deadlineEndsCompiling() throws ExecutionException, InterruptedException {
    List<CompletableFuture<Status.Code>> ends = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      GenerateRequest hostile = request(regex(HOSTILE + "w{" + i + "}"), 0).build();
      ends.add(
          CompletableFuture.supplyAsync(() -> {
            StatusRuntimeException e =
                catchThrowableOfType(
                    StatusRuntimeException.class,
                    () ->
                        worker
                            .generation()
                            .withDeadlineAfter(100, TimeUnit.MILLISECONDS)
                            .generate(hostile)
                            .forEachRemaining(_ -> {}));
            return e.getStatus().getCode();
          }));
    }
    long expired = 0;
    for (CompletableFuture<Status.Code> end : ends) {
      expired += end.get() == Status.Code.DEADLINE_EXCEEDED ? 1 : 0;
    }
    assertThat(expired).isGreaterThan(10);
    // What was given up takes no more time, so this one need not wait for it.
    assertThat(answer(request(choices("free"), 0)).getText()).isEqualTo("free");
  }
}
