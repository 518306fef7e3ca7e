package dev.sluice.router.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.tokenizer.TextEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.prompt.PromptMemory.Remembered;
import dev.sluice.router.testing.TinyTokenizer;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PromptMemoryTest {
  private static PromptMemory.Key key(int session) {
    return new PromptMemory.Key("f", 16, true, "", "session " + session);
  }

  @Test
  void forgetsTheLeastRecentlyUsedBeyondItsBound() {
    try (Tokenizer tokenizer = Tokenizer.load(TinyTokenizer.bundle())) {
      Remembered prompt =
          new Remembered(
              new TextEncoder(tokenizer).encode("w1 ".repeat(100), true, Optional.empty()),
              BlockHashes.NONE);
      PromptMemory memory = new PromptMemory(3 * prompt.size());
      for (int session = 0; session < 3; session++) {
        memory.remember(key(session), prompt);
      }
      assertThat(memory.find(key(0))).isPresent(); // and is used again
      memory.remember(key(2), prompt); // replaced, not added
      memory.remember(key(3), prompt);
      assertThat(memory.bytes()).isEqualTo(3 * prompt.size());
      assertThat(memory.find(key(1))).isEmpty();
      assertThat(memory.find(key(0))).isPresent();
      assertThat(memory.find(key(3))).isPresent();
      new PromptMemory(1).remember(key(0), prompt); // larger than all of it: not kept
    }
  }

  @Test
  void blocksOfAKnownPrefixAreTakenOver() {
    int[] tokens = new int[100];
    BlockHashes known = BlockHashes.of(tokens, 16, "s");
    for (int equal : new int[] {0, 15, 16, 17, 50, 100}) {
      int[] next = new int[130];
      Arrays.fill(next, equal, 130, 7);
      assertSame(BlockHashes.of(next, 16, "s", known, equal), BlockHashes.of(next, 16, "s"));
    }
    int[] shorter = new int[40];
    assertSame(BlockHashes.of(shorter, 16, "s", known, 40), BlockHashes.of(shorter, 16, "s"));
  }

  private static void assertSame(BlockHashes one, BlockHashes other) {
    assertThat(one.count()).isEqualTo(other.count());
    for (int block = 0; block < one.count(); block++) {
      assertThat(one.high(block)).isEqualTo(other.high(block));
      assertThat(one.low(block)).isEqualTo(other.low(block));
    }
  }
}
