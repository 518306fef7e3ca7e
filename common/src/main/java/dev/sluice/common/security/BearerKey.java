package dev.sluice.common.security;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import java.nio.file.Path;
import java.util.List;

/** Shows the key in a file with every call. Threading: any thread; it follows its file. */
final class BearerKey implements ClientInterceptor {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  private volatile String header = "";

  private BearerKey() {}

  static BearerKey follow(String setting, Path file, FileWatch watch) {
    BearerKey key = new BearerKey();
    watch.follow(List.of(file), () -> key.load(setting, file));
    return key;
  }

  private void load(String setting, Path file) {
    String key = SecretFiles.read(setting, file).strip();
    if (key.isEmpty() || !key.chars().allMatch(c -> c > ' ' && c <= '~')) {
      throw new SecurityFileException(setting + ": " + file + ": not one key (expected: a line)");
    }
    header = "Bearer " + key;
  }

  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        headers.put(AUTHORIZATION, header);
        super.start(listener, headers);
      }
    };
  }
}
