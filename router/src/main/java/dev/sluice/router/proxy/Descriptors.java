package dev.sluice.router.proxy;

import io.grpc.MethodDescriptor;

/** Turns generated method descriptors into those of the proxy. */
final class Descriptors {
  private Descriptors() {}

  /** The same rpc (name, type, schema) with responses left as bytes. */
  static <R> MethodDescriptor<R, byte[]> withByteResponses(MethodDescriptor<R, ?> method) {
    return method.toBuilder(method.getRequestMarshaller(), BytesMarshaller.INSTANCE).build();
  }
}
