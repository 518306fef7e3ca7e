package dev.sluice.worker.service;

import dev.sluice.v1.TokenLogprob;
import dev.sluice.v1.TopLogprob;

/** Log-probabilities in the words of the contract. */
final class Logprobs {
  private Logprobs() {}

  static TokenLogprob toProto(dev.sluice.worker.sampling.TokenLogprob logprob) {
    TokenLogprob.Builder token =
        TokenLogprob.newBuilder()
            .setTokenId(logprob.tokenId())
            .setLogprob(logprob.logprob())
            .setRank(logprob.rank());
    for (int i = 0; i < logprob.topCount(); i++) {
      token.addTop(
          TopLogprob.newBuilder()
              .setTokenId(logprob.topToken(i))
              .setLogprob(logprob.topLogprob(i)));
    }
    return token.build();
  }
}
