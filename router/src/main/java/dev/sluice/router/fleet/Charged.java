package dev.sluice.router.fleet;

/**
 * What this router has at a worker at one moment. Compared by identity when it is replaced, so that
 * a decision made on an old one is noticed.
 *
 * @param requests that were sent there and have not ended
 * @param prefillTokens prompt tokens that they make it compute, of those without a first token
 * @param tokens prompt tokens that they made it compute, of all of them
 */
public record Charged(int requests, long prefillTokens, long tokens) {
  static final Charged NOTHING = new Charged(0, 0, 0);

  Charged plus(int newTokens) {
    return new Charged(requests + 1, prefillTokens + newTokens, tokens + newTokens);
  }

  Charged prefilled(int newTokens) {
    return new Charged(requests, prefillTokens - newTokens, tokens);
  }

  Charged minus(int newTokens, boolean prefilled) {
    return new Charged(
        requests - 1, prefilled ? prefillTokens : prefillTokens - newTokens, tokens - newTokens);
  }
}
