package dev.sluice.common.security;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.telemetry.Metrics;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.MeterProvider;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLSession;

/**
 * Lets those in who may do what they ask for.
 *
 * <p>Threading: any thread.
 */
public final class Access {
  private static final AttributeKey<String> REASON = AttributeKey.stringKey("reason");
  private static final Attributes UNKNOWN = Attributes.of(REASON, "unauthenticated");
  private static final Attributes DENIED = Attributes.of(REASON, "permission_denied");

  private final Authenticator authenticator;
  private final RequestRules rules;
  private volatile LongCounter refusals =
      Metrics.IDENTITY_REFUSALS.on(MeterProvider.noop().get("none"));

  Access(Authenticator authenticator, RequestRules rules) {
    this.authenticator = authenticator;
    this.rules = rules;
  }

  void countOn(Meter meter) {
    refusals = Metrics.IDENTITY_REFUSALS.on(meter);
  }

  /**
   * Who calls, if it may do this.
   *
   * @param what for the message
   * @param enough any of these permissions is enough
   * @throws RefusalException UNAUTHENTICATED or PERMISSION_DENIED
   */
  public Identity admit(
      Optional<String> authorization,
      Optional<SSLSession> session,
      String what,
      Set<Permission> enough) {
    try {
      Identity identity = authenticator.identify(authorization, session);
      if (!identity.mayAny(enough)) {
        throw RequestRules.denied(
            what
                + ": "
                + identity.name()
                + " may "
                + (identity.permissions().isEmpty()
                    ? "do nothing"
                    : Permission.text(identity.permissions(), ", "))
                + " (expected: "
                + Permission.text(EnumSet.copyOf(enough), " or ")
                + ")");
      }
      return identity;
    } catch (RefusalException e) {
      count(e);
      throw e;
    }
  }

  /** What identities may write into requests. */
  RequestRules rules() {
    return rules;
  }

  void count(RefusalException refused) {
    refusals.add(1, refused.refusal() instanceof Refusal.Unauthenticated ? UNKNOWN : DENIED);
  }
}
