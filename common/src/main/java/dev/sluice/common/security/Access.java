package dev.sluice.common.security;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.telemetry.Metrics;
import dev.sluice.v1.GenerateRequest;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.metrics.LongCounter;
import io.opentelemetry.api.metrics.Meter;
import io.opentelemetry.api.metrics.MeterProvider;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
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
    return admitted(() -> identified(authorization, session, what, enough));
  }

  private Identity identified(
      Optional<String> authorization,
      Optional<SSLSession> session,
      String what,
      Set<Permission> enough) {
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
  }

  /**
   * What becomes of a request of this identity.
   *
   * @throws RefusalException for what it may not ask for
   */
  public GenerateRequest admit(Identity identity, GenerateRequest request) {
    return admitted(() -> rules.admit(identity, request));
  }

  /** The same for a message of any type. */
  Object admitAny(Identity identity, Object message) {
    return admitted(() -> rules.admitAny(identity, message));
  }

  /** Counts, if it is refused. */
  private <T> T admitted(Supplier<T> admission) {
    try {
      return admission.get();
    } catch (RefusalException e) {
      refusals.add(1, e.refusal() instanceof Refusal.Unauthenticated ? UNKNOWN : DENIED);
      throw e;
    }
  }
}
