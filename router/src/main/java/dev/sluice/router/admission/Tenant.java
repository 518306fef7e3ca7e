package dev.sluice.router.admission;

import dev.sluice.common.error.Refusal;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/**
 * The account of one tenant: its share, its limits, and what its requests are like.
 *
 * <p>Threading: any thread. Its means are written under its monitor, once per request.
 */
final class Tenant {
  private static final double WEIGHT_OF_LATEST = 0.1;

  private final String name;
  private final double weight;
  private final OptionalDouble requestsPerMinute;
  private final OptionalDouble tokensPerMinute;
  private final Optional<RequestLimit> requests;
  private final Optional<TokenBucket> tokens;
  private final LongSupplier nanoClock;
  private double outputMean; // guarded by this; per choice; 0 before the first
  private double cachedPart; // guarded by this; of prompts, 0 to 1

  Tenant(String name, TenantOptions.Rates rates, Duration burst, LongSupplier nanoClock) {
    this(name, rates, burst, nanoClock, Optional.empty());
  }

  /**
   * @param before the account until now; a limit that is the same stays as far used up as it is
   */
  private Tenant(
      String name,
      TenantOptions.Rates rates,
      Duration burst,
      LongSupplier nanoClock,
      Optional<Tenant> before) {
    this.name = name;
    this.nanoClock = nanoClock;
    weight = rates.weight(name);
    requestsPerMinute = rates.requestsPerMinute(name);
    tokensPerMinute = rates.tokensPerMinute(name);
    long burstNanos = burst.toNanos();
    requests =
        before
            .filter(b -> b.requestsPerMinute.equals(requestsPerMinute))
            .map(b -> b.requests)
            .orElseGet(() -> requestLimit(burstNanos));
    tokens =
        before
            .filter(b -> b.tokensPerMinute.equals(tokensPerMinute))
            .map(b -> b.tokens)
            .orElseGet(() -> tokenBucket(burstNanos));
  }

  private Optional<RequestLimit> requestLimit(long burstNanos) {
    return requestsPerMinute.isPresent()
        ? Optional.of(
            new RequestLimit(name, requestsPerMinute.getAsDouble(), burstNanos, nanoClock))
        : Optional.empty();
  }

  private Optional<TokenBucket> tokenBucket(long burstNanos) {
    return tokensPerMinute.isPresent()
        ? Optional.of(
            new TokenBucket(tokensPerMinute.getAsDouble(), burstNanos, nanoClock.getAsLong()))
        : Optional.empty();
  }

  /** The same account with what it gets now. A limit that has changed begins with a full burst. */
  Tenant with(TenantOptions.Rates rates, Duration burst) {
    if (weight == rates.weight(name)
        && requestsPerMinute.equals(rates.requestsPerMinute(name))
        && tokensPerMinute.equals(rates.tokensPerMinute(name))) {
      return this;
    }
    Tenant changed = new Tenant(name, rates, burst, nanoClock, Optional.of(this));
    synchronized (this) {
      changed.outputMean = outputMean; // nobody else has it yet
      changed.cachedPart = cachedPart;
    }
    return changed;
  }

  String name() {
    return name;
  }

  double weight() {
    return weight;
  }

  boolean isLimited() {
    return requests.isPresent() || tokens.isPresent();
  }

  /**
   * Counts a request against the limits; says why it must not be let in, if so.
   *
   * @param routers that share the limits
   */
  Optional<Refusal.Overloaded> tryEnter(int routers) {
    if (tokens.isPresent()) { // first: it costs nothing to ask
      OptionalLong wait = tokens.get().waitNanos(routers, nanoClock.getAsLong());
      if (wait.isPresent()) {
        return Optional.of(
            refusal("TOKEN_RATE_LIMIT", "tokens", tokensPerMinute, routers, wait.getAsLong()));
      }
    }
    if (requests.isPresent()) {
      OptionalLong wait = requests.get().tryAcquire(routers);
      if (wait.isPresent()) {
        return Optional.of(
            refusal(
                "REQUEST_RATE_LIMIT", "requests", requestsPerMinute, routers, wait.getAsLong()));
      }
    }
    return Optional.empty();
  }

  /** Tokens were computed on its account, or were charged for and not computed. */
  void spend(long spent) {
    if (tokens.isPresent()) {
      tokens.get().spend(spent, nanoClock.getAsLong());
    }
  }

  /** A request got its first token. */
  synchronized void prefilled(int promptTokens, int cachedTokens) {
    if (promptTokens > 0) {
      double part = Math.clamp((double) cachedTokens / promptTokens, 0, 1);
      cachedPart += WEIGHT_OF_LATEST * (part - cachedPart);
    }
  }

  /** A request is complete. */
  synchronized void completed(double outputPerChoice) {
    outputMean += (outputMean == 0 ? 1 : WEIGHT_OF_LATEST) * (outputPerChoice - outputMean);
  }

  /** Of its latest answers, tokens per choice; 0 if there was none. */
  synchronized double outputMean() {
    return outputMean;
  }

  /** Of its latest prompts, the part that workers had cached. */
  synchronized double cachedPart() {
    return cachedPart;
  }

  private Refusal.Overloaded refusal(
      String reason, String what, OptionalDouble perMinute, int routers, long waitNanos) {
    String limit = Math.round(perMinute.orElseThrow()) + " " + what + " per minute";
    return new Refusal.Overloaded(
        reason,
        "tenant \"" + name + "\" has used up its " + what + " (expected: at most " + limit + ")",
        Duration.ofNanos(waitNanos),
        Map.of("tenant", name, "limit", limit, "routers", Integer.toString(routers)));
  }
}
