package dev.sluice.common.telemetry;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import org.jspecify.annotations.Nullable;

/** Leaves gRPC's own services (health, reflection) out of the traces: probes would drown them. */
final class OurCalls {
  private OurCalls() {}

  private static boolean isOurs(MethodDescriptor<?, ?> method) {
    @Nullable String service = method.getServiceName();
    return service == null || !service.startsWith("grpc.");
  }

  record Server(ServerInterceptor tracing) implements ServerInterceptor {
    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      return isOurs(call.getMethodDescriptor())
          ? tracing.interceptCall(call, headers, next)
          : next.startCall(call, headers);
    }
  }

  record Client(ClientInterceptor tracing) implements ClientInterceptor {
    @Override
    public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(
        MethodDescriptor<ReqT, RespT> method, CallOptions options, Channel next) {
      return isOurs(method)
          ? tracing.interceptCall(method, options, next)
          : next.newCall(method, options);
    }
  }
}
