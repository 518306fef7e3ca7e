package dev.sluice.client;

import io.grpc.ManagedChannel;

/** One target and its connection. Threading: any thread. */
final class Endpoint {
  private final ManagedChannel channel;
  private volatile boolean failed;

  Endpoint(ManagedChannel channel) {
    this.channel = channel;
  }

  ManagedChannel channel() {
    return channel;
  }

  /** Whether its latest call could not reach it. */
  boolean failed() {
    return failed;
  }

  /** A call could not reach it, or was lost with it. */
  void lost() {
    failed = true;
  }

  /** It said something. */
  void answered() {
    if (failed) { // read first: this is called for every message
      failed = false;
    }
  }
}
