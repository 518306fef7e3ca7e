package dev.sluice.router.proxy;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import dev.sluice.v1.Usage;
import io.grpc.Metadata;
import io.grpc.protobuf.ProtoUtils;
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

  private static final Metadata.Key<com.google.rpc.Status> DETAILS =
      Metadata.Key.of(
          "grpc-status-details-bin",
          ProtoUtils.metadataMarshaller(com.google.rpc.Status.getDefaultInstance()));

  private static final Metadata.Key<Usage> USAGE =
      Metadata.Key.of(
          "sluice-usage-bin", ProtoUtils.metadataMarshaller(Usage.getDefaultInstance()));

  private Trailers() {}

  /** Whether they carry google.rpc details: then a worker, not a connection, ended the call. */
  static boolean explain(Metadata trailers) {
    return trailers.containsKey(DETAILS);
  }

  /** The reason that the details give; empty if there is none that can be read. */
  static String reason(Metadata trailers) {
    try {
      com.google.rpc.Status details = trailers.get(DETAILS);
      if (details != null) {
        for (Any detail : details.getDetailsList()) {
          if (detail.is(ErrorInfo.class)) {
            return detail.unpack(ErrorInfo.class).getReason();
          }
        }
      }
      return "";
    } catch (InvalidProtocolBufferException | IllegalArgumentException e) {
      return ""; // what a stranger sends there says nothing to us
    }
  }

  /** What a client gets of a worker's trailers: details, usage, push-back, all that is its own. */
  static Metadata toClient(Metadata trailers) {
    HOP_BY_HOP.forEach(trailers::discardAll);
    trailers.discardAll(LOAD_REPORT);
    return trailers;
  }

  /** Tells what a stream that fails has cost so far. */
  static void putUsage(Metadata trailers, Usage usage) {
    trailers.discardAll(USAGE);
    trailers.put(USAGE, usage);
  }

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }
}
