package dev.sluice.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.testing.Generator;
import dev.sluice.v1.ChoiceProgress;
import dev.sluice.v1.Delta;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.Resume;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ProgressTest {
  private final EventScan scan = new EventScan();
  private final Progress progress = new Progress();

  private boolean take(GenerateResponse message, long nowNanos) {
    assertThat(scan.read(message.toByteArray())).isTrue();
    progress.advance();
    return switch (scan.event()) {
      case EventScan.DELTA -> progress.delta(scan, nowNanos);
      case EventScan.CHOICE_FINISHED ->
          progress.choiceFinished(message.getChoiceFinished().getChoice());
      default -> true;
    };
  }

  private static GenerateResponse delta(int choice, List<Integer> tokens, String text) {
    return GenerateResponse.newBuilder()
        .setDelta(Delta.newBuilder().setChoice(choice).addAllTokenIds(tokens).setText(text))
        .build();
  }

  @Test
  void addsUpToTheWholeStream() {
    GenerateRequest request =
        GenerateRequest.newBuilder()
            .setN(3)
            .setSampling(Sampling.newBuilder().setSeed(4))
            .setStopping(Stopping.newBuilder().setMaxTokens(300))
            .build();
    Resume.Builder expected = Resume.newBuilder();
    for (int c = 0; c < 3; c++) {
      expected.addChoices(ChoiceProgress.newBuilder().setChoice(c).setFinished(true));
    }
    long sequence = 1;
    for (GenerateResponse message : Generator.undisturbed("w", request)) {
      assertThat(take(message, sequence)).isTrue();
      sequence++;
      if (message.hasDelta()) {
        ChoiceProgress.Builder choice = expected.getChoicesBuilder(message.getDelta().getChoice());
        choice
            .addAllTokenIds(message.getDelta().getTokenIdsList())
            .setTextBytes(
                choice.getTextBytes()
                    + message.getDelta().getText().getBytes(StandardCharsets.UTF_8).length);
      }
    }
    assertThat(progress.toResume()).isEqualTo(expected.setNextSequence(sequence).build());
    assertThat(progress.outputTokens()).isEqualTo(300 + 299 + 298);
    assertThat(progress.meanGapNanos()).isEqualTo(progress.decodeNanos() / 299).isPositive();
  }

  @Property(tries = 1_000)
  void readsWhatAFullParseReads(
      @ForAll @IntRange(max = 63) int choice,
      @ForAll @Size(max = 40) List<Integer> tokens,
      @ForAll String text) {
    EventScan fresh = new EventScan();
    GenerateResponse message = delta(choice, tokens, text);
    assertThat(fresh.read(message.toByteArray())).isTrue();
    Delta parsed = message.getDelta();
    assertThat(fresh.choice()).isEqualTo(choice);
    assertThat(fresh.tokenCount()).isEqualTo(parsed.getTokenIdsCount());
    for (int i = 0; i < fresh.tokenCount(); i++) {
      assertThat(fresh.tokens()[i]).isEqualTo(parsed.getTokenIds(i));
    }
    assertThat(fresh.textBytes()).isEqualTo(parsed.getTextBytes().size());
  }

  @Test
  void readsTokenIdsThatAreNotPacked() {
    // sequence 1; delta of 6 bytes: token_ids 5, token_ids 300, choice 1 (as a varint each)
    byte[] message = {0x08, 1, 0x22, 7, 0x10, 5, 0x10, (byte) 0xac, 2, 0x08, 1};
    assertThat(scan.read(message)).isTrue();
    assertThat(scan.tokenCount()).isEqualTo(2);
    assertThat(scan.tokens()).startsWith(5, 300);
    assertThat(scan.choice()).isEqualTo(1);
  }

  @Test
  void refusesDeltasThatAreCutShortInside() {
    byte[] message = delta(3, List.of(1, 2, 300), "text").toByteArray();
    for (int cut = 1; cut < message.length - 2; cut++) {
      byte[] inner = new byte[2 + cut];
      System.arraycopy(message, 0, inner, 0, inner.length);
      inner[1] = (byte) cut; // a whole field, whose content ends too early
      boolean whole = scan.read(inner);
      try {
        GenerateResponse parsed = GenerateResponse.parseFrom(inner);
        assertThat(whole).isTrue();
        assertThat(scan.choice()).isEqualTo(parsed.getDelta().getChoice());
      } catch (com.google.protobuf.InvalidProtocolBufferException e) {
        assertThat(whole).isFalse();
      }
    }
  }

  @Test
  void refusesChoicesThatCannotBe() {
    assertThat(take(delta(Progress.MAX_CHOICES, List.of(1), ""), 1)).isFalse();
    assertThat(take(delta(-1, List.of(1), ""), 1)).isFalse();
    assertThat(progress.choiceFinished(Integer.MAX_VALUE)).isFalse();
    assertThat(take(delta(Progress.MAX_CHOICES - 1, List.of(1), ""), 1)).isTrue();
  }

  @Test
  void keepsTheTimesOfTokens() {
    take(delta(0, List.of(), "only text"), 5);
    take(delta(0, List.of(1), ""), 10);
    take(delta(1, List.of(1), ""), 40); // another choice: no gap of the first
    take(delta(0, List.of(1, 2), ""), 60);
    take(delta(1, List.of(1), ""), 70);
    assertThat(progress.firstTokenNanos()).isEqualTo(10);
    assertThat(progress.decodeNanos()).isEqualTo(60);
    assertThat(progress.longestGapNanos()).isEqualTo(50);
    assertThat(progress.meanGapNanos()).isEqualTo(60 / 2); // the longest choice has two gaps
  }

  @Test
  void timesOnlyWhatPassedHere() {
    Progress goesOn =
        new Progress(
            Resume.newBuilder()
                .setNextSequence(5)
                .addChoices(ChoiceProgress.newBuilder().addAllTokenIds(List.of(1, 2, 3)))
                .build());
    assertThat(goesOn.meanGapNanos()).isZero();
    for (long now : new long[] {1_000, 1_010, 1_030}) {
      assertThat(scan.read(delta(0, List.of(4), "x").toByteArray())).isTrue();
      assertThat(goesOn.delta(scan, now)).isTrue();
    }
    assertThat(goesOn.outputTokens()).isEqualTo(6);
    assertThat(goesOn.firstTokenNanos()).isEqualTo(1_000);
    assertThat(goesOn.decodeNanos()).isEqualTo(30);
    assertThat(goesOn.meanGapNanos()).isEqualTo(15);
  }
}
