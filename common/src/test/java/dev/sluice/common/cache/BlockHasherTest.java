package dev.sluice.common.cache;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Routers and workers of any version that speak to each other must agree on these names. */
class BlockHasherTest {
  @Test
  void namesAreThoseOfAnotherImplementation() throws IOException {
    JsonNode cases;
    try (InputStream json = BlockHasherTest.class.getResourceAsStream("block_hashes.json")) {
      cases = new ObjectMapper().readTree(Objects.requireNonNull(json));
    }
    assertThat(cases).isNotEmpty();
    for (JsonNode testCase : cases) {
      int size = testCase.get("blockSize").asInt();
      int[] tokens =
          StreamSupport.stream(testCase.get("tokens").spliterator(), false)
              .mapToInt(JsonNode::asInt)
              .toArray();
      BlockHasher hasher = new BlockHasher();
      hasher.begin(testCase.get("salt").asText());
      for (int block = 0; block < testCase.get("hashes").size(); block++) {
        hasher.next(tokens, block * size, size);
        assertThat(String.format("%016x%016x", hasher.high(), hasher.low()))
            .as("block %s of %s", block, testCase)
            .isEqualTo(testCase.get("hashes").get(block).asText());
      }
    }
  }

  @Test
  void aChainGoesOnFromItsLatestHash() {
    int[] tokens = {1, 2, 3, 4};
    BlockHasher whole = new BlockHasher();
    whole.begin("salt");
    whole.next(tokens, 0, 2);
    BlockHasher resumed = new BlockHasher();
    resumed.resume(whole.high(), whole.low());
    whole.next(tokens, 2, 2);
    resumed.next(tokens, 2, 2);
    assertThat(resumed.high()).isEqualTo(whole.high());
    assertThat(resumed.low()).isEqualTo(whole.low());
  }
}
