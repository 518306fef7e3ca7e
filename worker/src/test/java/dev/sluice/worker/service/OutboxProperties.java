package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.v1.Delta;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

final class OutboxProperties {
  @Property
  void nothingIsLostOrReordered(
      @ForAll @Size(max = 200) List<@IntRange(min = 0, max = 200_000) Integer> tokens,
      @ForAll @IntRange(min = 1, max = 7) int readEvery) {
    Outbox outbox = new Outbox(3);
    List<Integer> ids = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    StringBuilder expected = new StringBuilder();
    for (int i = 0; i < tokens.size(); i++) {
      outbox.addToken(tokens.get(i), "é" + i, Optional.empty());
      expected.append("é").append(i);
      if (i % readEvery == 0) {
        collect(outbox, ids, text);
      }
    }
    collect(outbox, ids, text);
    assertThat(ids).isEqualTo(tokens);
    assertThat(text.toString()).isEqualTo(expected.toString());
    assertThat(outbox.unsentBytes()).isZero();
  }

  @Example
  void mergesWhatWaitsIntoMessagesBelowTheLimit() {
    Outbox outbox = new Outbox(0);
    for (int i = 0; i < 30_000; i++) {
      outbox.addToken(49_151, "word ", Optional.empty());
    }
    assertThat(outbox.unsentBytes()).isBetween(230_000, 260_000);
    int messages = 0;
    for (Optional<Delta> d = outbox.poll(); d.isPresent(); d = outbox.poll()) {
      assertThat(d.get().getSerializedSize()).isLessThan(64 << 10);
      messages++;
    }
    assertThat(messages).isBetween(7, 9);
  }

  private static void collect(Outbox outbox, List<Integer> ids, StringBuilder text) {
    for (Optional<Delta> d = outbox.poll(); d.isPresent(); d = outbox.poll()) {
      assertThat(d.get().getChoice()).isEqualTo(3);
      ids.addAll(d.get().getTokenIdsList());
      text.append(d.get().getText());
    }
  }
}
