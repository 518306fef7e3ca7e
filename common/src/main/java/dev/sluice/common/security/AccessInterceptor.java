package dev.sluice.common.security;

import dev.sluice.common.error.RefusalException;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.Optional;
import java.util.Set;

/**
 * Asks once per call who calls; then the identity is in the call's context, and its request is what
 * that identity may ask for. Goes below {@code ErrorInterceptor}, which tells refusals.
 */
public final class AccessInterceptor implements ServerInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private final Access access;

  public AccessInterceptor(Access access) {
    this.access = access;
  }

  @Override
  public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
      ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
    MethodDescriptor<ReqT, RespT> method = call.getMethodDescriptor();
    Set<Permission> enough =
        Methods.enough(
            String.valueOf(method.getServiceName()), String.valueOf(method.getBareMethodName()));
    if (enough.isEmpty()) {
      return next.startCall(call, headers);
    }
    Identity identity =
        access.admit(
            Optional.ofNullable(headers.get(AUTHORIZATION)),
            Optional.ofNullable(call.getAttributes().get(Grpc.TRANSPORT_ATTR_SSL_SESSION)),
            method.getFullMethodName(),
            enough);
    return new Listener<>(
        Contexts.interceptCall(identity.in(Context.current()), call, headers, next), identity);
  }

  /** Threading: one callback at a time, as gRPC promises. */
  private final class Listener<ReqT> extends SimpleForwardingServerCallListener<ReqT> {
    private final Identity identity;
    private boolean refused;

    Listener(ServerCall.Listener<ReqT> delegate, Identity identity) {
      super(delegate);
      this.identity = identity;
    }

    @Override
    public void onMessage(ReqT message) {
      if (!refused) {
        super.onMessage(admitted(message));
      }
    }

    @SuppressWarnings("unchecked") // a message is admitted as one of its own type
    private ReqT admitted(ReqT message) {
      try {
        return (ReqT) access.admitAny(identity, message);
      } catch (RefusalException e) {
        refused = true;
        throw e;
      }
    }

    @Override
    public void onHalfClose() {
      if (!refused) {
        super.onHalfClose();
      }
    }

    @Override
    public void onComplete() {
      if (refused) {
        super.onCancel(); // the handler has answered nothing: for it, the caller has gone
      } else {
        super.onComplete();
      }
    }
  }
}
