package dev.sluice.router.fleet;

import java.util.OptionalLong;

/**
 * How long a call has been silent although its worker says that it is decoding. Judged at
 * heartbeats: a call that was not waiting for a token at one of them starts over.
 *
 * <p>Threading: the fleet loop.
 */
final class Silence {
  private long received;
  private OptionalLong sinceNanos = OptionalLong.empty();

  /**
   * One heartbeat.
   *
   * @param decoding whether it names the call
   * @return how long the call has been silent, nanoseconds
   */
  long beat(Occupant call, boolean decoding, long nowNanos) {
    long count = call.received();
    boolean silent = decoding && call.awaiting() && count == received;
    received = count;
    if (!silent) {
      sinceNanos = OptionalLong.empty();
      return 0;
    }
    if (sinceNanos.isEmpty()) {
      sinceNanos = OptionalLong.of(nowNanos);
    }
    return nowNanos - sinceNanos.getAsLong();
  }
}
