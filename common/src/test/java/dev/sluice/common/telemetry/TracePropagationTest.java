package dev.sluice.common.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.server.ChannelConfig;
import dev.sluice.common.server.Channels;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Scope;
import io.opentelemetry.context.propagation.ContextPropagators;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.MDC;

@Timeout(60)
class TracePropagationTest {
  private static final int TOKENS = 5;

  private final BlockingQueue<String> traceParents = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> loggedTraceIds = new LinkedBlockingQueue<>();

  @Test
  void aTraceGoesFromClientToServerWithoutAnEventPerMessage() throws Exception {
    SpanMemory spans = new SpanMemory(4); // request, client, server, work
    OpenTelemetrySdk sdk =
        OpenTelemetrySdk.builder()
            .setTracerProvider(
                SdkTracerProvider.builder()
                    .addSpanProcessor(SimpleSpanProcessor.create(spans))
                    .build())
            .setPropagators(ContextPropagators.create(W3CTraceContextPropagator.getInstance()))
            .build();
    Telemetry telemetry = Telemetry.over(sdk);
    GrpcServer server =
        GrpcServer.builder(ServerConfig.defaults(0))
            .intercept(telemetry.serverInterceptor())
            .intercept(new KeepTraceParent())
            .service(new Streams(telemetry))
            .build();
    server.start();
    ManagedChannel channel =
        Channels.open(
            "localhost:" + server.port(), ChannelConfig.defaults(), telemetry.clientInterceptor());
    try (sdk) {
      HealthGrpc.newBlockingStub(channel).check(HealthCheckRequest.getDefaultInstance());
      Span request = telemetry.tracer().spanBuilder("request").startSpan();
      try (Scope _ = request.makeCurrent()) {
        var answers =
            GenerationServiceGrpc.newBlockingStub(channel)
                .generate(GenerateRequest.getDefaultInstance());
        answers.forEachRemaining(_ -> {});
      }
      request.end();

      List<SpanData> ended = spans.await();
      assertThat(ended).hasSize(4); // and none for the health check
      SpanData root = spans.only("request").span();
      SpanData client = of(ended, SpanKind.CLIENT);
      SpanData serverSide = of(ended, SpanKind.SERVER);
      SpanData work = spans.only("work").span();
      assertThat(ended).extracting(SpanData::getTraceId).containsOnly(root.getTraceId());
      assertThat(client.getParentSpanId()).isEqualTo(root.getSpanId());
      assertThat(serverSide.getParentSpanId()).isEqualTo(client.getSpanId());
      assertThat(work.getParentSpanId()).isEqualTo(serverSide.getSpanId());
      assertThat(client.getEvents()).isEmpty();
      assertThat(serverSide.getEvents()).isEmpty();
      assertThat(traceParents.take())
          .startsWith("00-" + client.getTraceId() + "-" + client.getSpanId() + "-");
      assertThat(loggedTraceIds.take()).isEqualTo(root.getTraceId());
    } finally {
      Channels.close(channel);
      server.stop(Duration.ofSeconds(5));
    }
  }

  private static SpanData of(List<SpanData> spans, SpanKind kind) {
    return spans.stream().filter(span -> span.getKind() == kind).findFirst().orElseThrow();
  }

  private final class KeepTraceParent implements ServerInterceptor {
    private static final Metadata.Key<String> TRACE_PARENT =
        Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

    @Override
    public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(
        ServerCall<ReqT, RespT> call, Metadata headers, ServerCallHandler<ReqT, RespT> next) {
      String parent = headers.get(TRACE_PARENT);
      if (parent != null) {
        traceParents.add(parent);
      }
      return next.startCall(call, headers);
    }
  }

  private final class Streams extends GenerationServiceGrpc.GenerationServiceImplBase {
    private final Telemetry telemetry;

    Streams(Telemetry telemetry) {
      this.telemetry = telemetry;
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> observer) {
      loggedTraceIds.add(String.valueOf(MDC.get("trace_id")));
      telemetry.tracer().spanBuilder("work").startSpan().end();
      for (int i = 1; i <= TOKENS; i++) {
        observer.onNext(GenerateResponse.newBuilder().setSequence(i).build());
      }
      observer.onCompleted();
    }
  }
}
