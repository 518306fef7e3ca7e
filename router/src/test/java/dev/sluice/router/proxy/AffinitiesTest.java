package dev.sluice.router.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.router.policy.Affinity;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.TokenIds;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AffinitiesTest {
  private static final String SYSTEM =
      "You are a helpful assistant. ".repeat(40); // 1,160 characters

  private static Affinity text(String text) {
    return Affinities.of(GenerateRequest.newBuilder().setText(text).build());
  }

  private static Affinity chat(String... contents) {
    ChatMessages.Builder chat = ChatMessages.newBuilder();
    for (String content : contents) {
      chat.addMessages(ChatMessage.newBuilder().setRole("user").setContent(content));
    }
    return Affinities.of(GenerateRequest.newBuilder().setChat(chat).build());
  }

  private static Affinity tokens(int count, int last) {
    TokenIds.Builder ids = TokenIds.newBuilder();
    IntStream.range(0, count - 1).forEach(ids::addIds);
    return Affinities.of(GenerateRequest.newBuilder().setTokenIds(ids.addIds(last)).build());
  }

  @Test
  void promptsThatBeginAlikeAreTied() {
    assertThat(text(SYSTEM + "a")).isEqualTo(text(SYSTEM + "b"));
    assertThat(text("a" + SYSTEM)).isNotEqualTo(text("b" + SYSTEM));
    assertThat(text("a")).isNotEqualTo(text("b"));
    assertThat(chat(SYSTEM, "a")).isEqualTo(chat(SYSTEM, "b", "c"));
    assertThat(chat("a", SYSTEM)).isNotEqualTo(chat("b", SYSTEM));
    assertThat(chat("ab", "c")).isNotEqualTo(chat("a", "bc"));
    assertThat(tokens(300, 7)).isEqualTo(tokens(300, 8));
    assertThat(tokens(200, 7)).isNotEqualTo(tokens(200, 8));
  }

  @Test
  void aSaltSeparatesAndASessionTies() {
    GenerateRequest plain = GenerateRequest.newBuilder().setText("x").build();
    GenerateRequest salted = plain.toBuilder().setCacheSalt("s").build();
    assertThat(Affinities.of(salted).prefix()).isNotEqualTo(Affinities.of(plain).prefix());
    GenerateRequest first = plain.toBuilder().setSessionId("c-1").build();
    GenerateRequest second = first.toBuilder().setText("y").build();
    assertThat(Affinities.of(first).session()).isEqualTo(Affinities.of(second).session());
    assertThat(Affinities.of(plain).session()).isEmpty();
    assertThat(Affinities.of(GenerateRequest.getDefaultInstance())).isEqualTo(Affinity.NONE);
  }
}
