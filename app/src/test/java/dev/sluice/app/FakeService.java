package dev.sluice.app;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.Status;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import dev.sluice.v1.FinishReason;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Started;
import dev.sluice.v1.Timings;
import dev.sluice.v1.Usage;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A server on loopback that answers every prompt with its last message, word by word. */
final class FakeService extends GenerationServiceGrpc.GenerationServiceImplBase {
  final List<GenerateRequest> requests = new CopyOnWriteArrayList<>();
  private final Server server;

  FakeService() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(this)
            .build()
            .start();
  }

  String target() {
    return "localhost:" + server.getPort();
  }

  @Override
  public void generate(GenerateRequest request, StreamObserver<GenerateResponse> out) {
    requests.add(request);
    if (request.getSampling().getTemperature() > 2) {
      out.onError(
          StatusProto.toStatusRuntimeException(
              Status.newBuilder()
                  .setCode(Code.INVALID_ARGUMENT_VALUE)
                  .setMessage("temperature: 9.0 (expected: 0.0 to 2.0)")
                  .addDetails(
                      Any.pack(
                          BadRequest.newBuilder()
                              .addFieldViolations(
                                  BadRequest.FieldViolation.newBuilder()
                                      .setField("temperature")
                                      .setDescription("9.0 (expected: 0.0 to 2.0)"))
                              .build()))
                  .build()));
      return;
    }
    List<ChatMessage> messages = request.getChat().getMessagesList();
    String text = messages.isEmpty() ? request.getText() : messages.getLast().getContent();
    int sequence = 1;
    out.onNext(message(sequence++).setStarted(Started.newBuilder().setWorkerId("w1")).build());
    for (String word : text.split("(?<= )", -1)) {
      for (int choice = 0; choice < Math.max(1, request.getN()); choice++) {
        out.onNext(
            message(sequence++)
                .setDelta(Delta.newBuilder().setChoice(choice).setText(word))
                .build());
      }
    }
    out.onNext(
        message(sequence++)
            .setChoiceFinished(
                ChoiceFinished.newBuilder().setReason(FinishReason.FINISH_REASON_STOP_EOS))
            .build());
    out.onNext(
        message(sequence)
            .setFinished(
                Finished.newBuilder()
                    .setUsage(Usage.newBuilder().setPromptTokens(5).setOutputTokens(3))
                    .setTimings(
                        Timings.newBuilder()
                            .setQueueNanos(840_000)
                            .setTtftNanos(12_300_000)
                            .setItlMeanNanos(20_000_000)
                            .setItlMaxNanos(25_000_000)
                            .setE2ENanos(4_560_000_000L)))
            .build());
    out.onCompleted();
  }

  private static GenerateResponse.Builder message(int sequence) {
    return GenerateResponse.newBuilder().setSequence(sequence);
  }

  void stop() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }
}
