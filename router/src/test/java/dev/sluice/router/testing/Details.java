package dev.sluice.router.testing;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.Status;
import io.grpc.protobuf.StatusProto;

/** Reads google.rpc details. */
public final class Details {
  private Details() {}

  /** The detail of this type; fails if the call ended without one. */
  public static <T extends Message> T of(Collected<?> call, Class<T> type) {
    Status status = StatusProto.fromStatusAndTrailers(call.status(), call.trailers());
    try {
      for (Any any : status.getDetailsList()) {
        if (any.is(type)) {
          return any.unpack(type);
        }
      }
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
    throw new AssertionError("no " + type.getSimpleName() + " in " + status);
  }
}
