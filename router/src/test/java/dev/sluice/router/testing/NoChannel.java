package dev.sluice.router.testing;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.MethodDescriptor;

/** A channel for workers that nobody calls. */
public final class NoChannel extends Channel {
  @Override
  public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
    throw new AssertionError("called " + method.getFullMethodName());
  }

  @Override
  public String authority() {
    return "none";
  }
}
