package dev.sluice.router.proxy;

import com.google.protobuf.Duration;
import dev.sluice.common.error.Refusal;
import dev.sluice.common.fair.FairQueue;
import dev.sluice.router.admission.Demand;
import dev.sluice.v1.GenerateRequest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** What a GenerateRequest asks of admission. */
final class Demands {
  private static final int MAX_NAME_CHARACTERS = 128;
  private static final int MAX_CHOICES = 16;
  private static final long MAX_SECONDS = 1_000_000;
  private static final String DEFAULT_TENANT = "default";

  private Demands() {}

  /** Values that {@link #check} refuses become the nearest ones that it takes. */
  static Demand of(GenerateRequest request) {
    String tenant = tenant(request);
    int choices = request.hasBeam() ? 1 : request.hasN() ? request.getN() : 1;
    int maxTokens = request.getStopping().getMaxTokens();
    return new Demand(
        tenant.length() > MAX_NAME_CHARACTERS ? tenant.substring(0, MAX_NAME_CHARACTERS) : tenant,
        Math.clamp(request.getPriority(), FairQueue.MIN_PRIORITY, FairQueue.MAX_PRIORITY),
        Math.clamp(choices, 1, MAX_CHOICES),
        maxTokens > 0 ? OptionalInt.of(maxTokens) : OptionalInt.empty(),
        ttftTarget(request).filter(target -> target.isPositive()),
        request.getHop().hasResume());
  }

  /** On whose account the request runs. */
  static String tenant(GenerateRequest request) {
    return request.getTenant().isEmpty() ? DEFAULT_TENANT : request.getTenant();
  }

  static void check(GenerateRequest request, List<Refusal.Violation> violations) {
    int priority = request.getPriority();
    if (priority < FairQueue.MIN_PRIORITY || priority > FairQueue.MAX_PRIORITY) {
      violations.add(
          new Refusal.Violation(
              "priority",
              priority
                  + " (expected: "
                  + FairQueue.MIN_PRIORITY
                  + " to "
                  + FairQueue.MAX_PRIORITY
                  + ")"));
    }
    int length = request.getTenant().length();
    if (length > MAX_NAME_CHARACTERS) {
      violations.add(
          new Refusal.Violation(
              "tenant", length + " characters (expected: at most " + MAX_NAME_CHARACTERS + ")"));
    }
    ttftTarget(request)
        .filter(target -> !target.isPositive())
        .ifPresent(_ ->
            violations.add(
                new Refusal.Violation(
                    "ttft_target", text(request.getTtftTarget()) + " s (expected: above 0)")));
  }

  private static Optional<java.time.Duration> ttftTarget(GenerateRequest request) {
    if (!request.hasTtftTarget()) {
      return Optional.empty();
    }
    Duration target = request.getTtftTarget();
    long seconds = Math.clamp(target.getSeconds(), -MAX_SECONDS, MAX_SECONDS);
    return Optional.of(java.time.Duration.ofSeconds(seconds, target.getNanos()));
  }

  private static String text(Duration target) {
    return target.getSeconds() + "." + "%09d".formatted(target.getNanos());
  }
}
