package dev.sluice.router.proxy;

import io.grpc.Metadata;
import java.util.List;

/** Metadata at the end of a call. */
final class Trailers {
  /** Belong to the connection with the worker, not to the answer. */
  private static final List<Metadata.Key<String>> HOP_BY_HOP =
      List.of(
          key("content-type"),
          key("grpc-encoding"),
          key("grpc-accept-encoding"),
          key("endpoint-load-metrics"));

  private static final Metadata.Key<byte[]> LOAD_REPORT =
      Metadata.Key.of("endpoint-load-metrics-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private static final Metadata.Key<byte[]> DETAILS =
      Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER);

  private Trailers() {}

  /** Whether they carry google.rpc details: then a worker, not a connection, ended the call. */
  static boolean explain(Metadata trailers) {
    return trailers.containsKey(DETAILS);
  }

  /** What a client gets of a worker's trailers: details, usage, push-back, all that is its own. */
  static Metadata toClient(Metadata trailers) {
    HOP_BY_HOP.forEach(trailers::discardAll);
    trailers.discardAll(LOAD_REPORT);
    return trailers;
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
