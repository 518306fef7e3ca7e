package dev.sluice.app.fleet;

import dev.sluice.client.SluiceException;
import io.grpc.StatusRuntimeException;
import java.util.function.Supplier;

/** Calls of generated stubs, with the client library's exceptions. */
final class FleetCall {
  private FleetCall() {}

  static <T> T of(Supplier<T> call) {
    try {
      return call.get();
    } catch (StatusRuntimeException e) {
      throw SluiceException.from(e);
    }
  }
}
