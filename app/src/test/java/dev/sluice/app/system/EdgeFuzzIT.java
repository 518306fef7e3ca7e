package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import dev.sluice.app.fuzz.Mutator;
import dev.sluice.app.system.Sluice.Result;
import dev.sluice.common.server.PortFile;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import dev.sluice.v1.TokenIds;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Phaser;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged requests over the sockets of a real router in front of simulated workers: each is
 * answered or refused, none is an internal error or hangs, and afterwards the processes are as they
 * were. A few thousand here; a campaign by {@code -Dit.test=EdgeFuzzIT
 * -Dsluice.fuzz.inputs=200000}.
 */
final class EdgeFuzzIT {
  private static final int INPUTS = Integer.getInteger("sluice.fuzz.inputs", 1_500);
  private static final long SEED = Long.getLong("sluice.fuzz.seed", 20);
  private static final int AT_ONCE = 16;
  private static final int MOST_TOKENS = 8;
  private static final int LONGEST_SECONDS = 20;
  private static final Duration HTTP_LIMIT = Duration.ofSeconds(20);
  private static final String GENERATION = "sluice.v1.GenerationService/";
  private static final String INFERENCE = "inference.GRPCInferenceService/";

  @Test
  void whateverComesTheRouterStays(@TempDir Path folder) throws Exception {
    Path ports = folder.resolve("ports");
    try (Sluice fleet =
            Sluice.start(
                "simulate-fleet",
                "--workers=2",
                "--port=0",
                "--step=1ms",
                "--max-sequences=32",
                "--kv-tokens=16384");
        Sluice router =
            Sluice.start(
                "router",
                "--port=0",
                "--http.port=0",
                "--telemetry.metrics-port=0",
                "--proxy.max-request-duration=10s",
                "--port-file=" + ports,
                "--workers=" + fleet.awaitOut(l -> l.startsWith("workers ")).substring(8))) {
      router.awaitErr(line -> line.contains(" is READY"));
      Map<String, Integer> listens = PortFile.read(ports).orElseThrow();
      int grpc = listens.get("grpc");
      int http = listens.get("http");
      grpcCalls(grpc, GENERATION + "Generate", GenerateRequest.parser(), generation(), 1);
      grpcCalls(grpc, INFERENCE + "ModelInfer", ModelInferRequest.parser(), inference(), 2);
      httpRequests(http, 3);
      rawBytes(grpc, 4);
      long[] warm = footprint(router.pid());
      grpcCalls(grpc, GENERATION + "GenerateOnce", GenerateOnceRequest.parser(), once(), 5);
      httpRequests(http, 6);
      rawBytes(grpc, 7);
      long[] after = footprint(router.pid());
      assertThat(after[0]).as("open files").isLessThan(warm[0] + AT_ONCE);
      assertThat(after[1]).as("threads").isLessThan(warm[1] + AT_ONCE);

      Result sound =
          Sluice.run("generate", "--target", "127.0.0.1:" + grpc, "--max-tokens", "4", "hello");
      assertThat(sound.code()).as(sound.err()).isZero();
    }
  }

  /** Open files and threads. */
  private static long[] footprint(long pid) throws IOException {
    try (var files = Files.list(Path.of("/proc/" + pid + "/fd"));
        var threads = Files.list(Path.of("/proc/" + pid + "/task"))) {
      return new long[] {files.count(), threads.count()};
    }
  }

  private static List<byte[]> generation() {
    Stopping few = Stopping.newBuilder().setMaxTokens(MOST_TOKENS).build();
    return List.of(
        GenerateRequest.newBuilder()
            .setText("Once upon a time")
            .setStopping(few)
            .setSampling(Sampling.newBuilder().setTemperature(0.8f).setTopK(5).setSeed(7))
            .setTenant("t")
            .build()
            .toByteArray(),
        GenerateRequest.newBuilder()
            .setChat(
                ChatMessages.newBuilder()
                    .addMessages(
                        dev.sluice.v1.ChatMessage.newBuilder().setRole("user").setContent("Hi"))
                    .setAddGenerationPrompt(true))
            .setStopping(few)
            .setN(2)
            .setPriority(3)
            .setSessionId("s")
            .build()
            .toByteArray(),
        GenerateRequest.newBuilder()
            .setTokenIds(TokenIds.newBuilder().addAllIds(List.of(1, 2, 3, 300)))
            .setStopping(few)
            .setConstraint(Constraint.newBuilder().setRegex("[a-z]+"))
            .setRequestId("fuzz")
            .build()
            .toByteArray());
  }

  private static List<byte[]> once() throws InvalidProtocolBufferException {
    List<byte[]> requests = new ArrayList<>();
    for (byte[] request : generation()) {
      requests.add(
          GenerateOnceRequest.newBuilder()
              .setRequest(GenerateRequest.parseFrom(request))
              .build()
              .toByteArray());
    }
    return requests;
  }

  private static List<byte[]> inference() {
    return List.of(
        ModelInferRequest.newBuilder()
            .setModelName("simulated")
            .setId("fuzz")
            .addInputs(
                ModelInferRequest.InferInputTensor.newBuilder()
                    .setName("text_input")
                    .setDatatype("BYTES")
                    .addShape(1))
            .addRawInputContents(
                com.google.protobuf.ByteString.copyFrom(new byte[] {2, 0, 0, 0, 'h', 'i'}))
            .build()
            .toByteArray());
  }

  private static void grpcCalls(
      int port, String method, Parser<?> parser, List<byte[]> seeds, long turn) throws Exception {
    Mutator mutator =
        new Mutator(SEED + turn, seeds, List.of("\u0008", "\u0012", "\n", "simulated"));
    MethodDescriptor<byte[], byte[]> descriptor =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.SERVER_STREAMING)
            .setFullMethodName(method)
            .setRequestMarshaller(new Bytes())
            .setResponseMarshaller(new Bytes())
            .build();
    ManagedChannel channel =
        Grpc.newChannelBuilder("127.0.0.1:" + port, InsecureChannelCredentials.create()).build();
    Map<Status.Code, Integer> seen = new EnumMap<>(Status.Code.class);
    AtomicReference<String> finding = new AtomicReference<>("");
    Semaphore places = new Semaphore(AT_ONCE);
    try {
      for (int i = 0; i < INPUTS && finding.get().isEmpty(); i++) {
        byte[] input = mutator.next();
        assertThat(places.tryAcquire(2 * LONGEST_SECONDS, TimeUnit.SECONDS)).isTrue();
        call(
            channel.newCall(
                descriptor,
                CallOptions.DEFAULT.withDeadlineAfter(Duration.ofSeconds(LONGEST_SECONDS))),
            input,
            status -> {
              synchronized (seen) {
                seen.merge(status.getCode(), 1, Integer::sum);
              }
              if (isFault(status, input, parser)) {
                finding.set(method + ": " + status + " for " + Arrays.toString(input));
              }
              places.release();
            });
      }
      assertThat(places.tryAcquire(AT_ONCE, 2 * LONGEST_SECONDS, TimeUnit.SECONDS)).isTrue();
    } finally {
      channel.shutdownNow();
    }
    assertThat(finding.get()).isEmpty();
    synchronized (seen) {
      assertThat(seen).containsKeys(Status.Code.OK, Status.Code.INVALID_ARGUMENT);
    }
  }

  /** What no message may bring about; bytes that are none are told as UNKNOWN by gRPC itself. */
  private static boolean isFault(Status status, byte[] input, Parser<?> parser) {
    return switch (status.getCode()) {
      case INTERNAL, UNKNOWN, DATA_LOSS -> isMessage(input, parser);
      default -> false;
    };
  }

  private static boolean isMessage(byte[] input, Parser<?> parser) {
    try {
      return parser.parseFrom(input) != null;
    } catch (InvalidProtocolBufferException _) {
      return false;
    }
  }

  private static void call(
      ClientCall<byte[], byte[]> call, byte[] input, java.util.function.Consumer<Status> ended) {
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            ended.accept(status);
          }
        },
        new Metadata());
    call.request(Integer.MAX_VALUE);
    call.sendMessage(input);
    call.halfClose();
  }

  private static final class Bytes implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void httpRequests(int port, long turn) throws Exception {
    List<byte[]> seeds =
        List.of(
            post(
                "/v1/chat/completions",
                "{\"model\":\"simulated\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
                    + "\"max_tokens\":8,\"stream\":true,\"stream_options\":{\"include_usage\":true}}"),
            post(
                "/v1/completions",
                "{\"model\":\"simulated\",\"prompt\":[1,2,3],\"max_tokens\":4,\"n\":2,\"stop\":[\"a\"],"
                    + "\"temperature\":0.5,\"seed\":1,\"logprobs\":2,\"echo\":true}"),
            "GET /v1/models HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII),
            "GET /v1/models/simulated HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                .getBytes(StandardCharsets.US_ASCII));
    Mutator mutator =
        new Mutator(
            SEED + turn,
            seeds,
            List.of(
                "\r\n",
                "HTTP/1.1",
                "Content-Length: ",
                "Transfer-Encoding: chunked\r\n",
                "%zz",
                "%00",
                "../",
                "Expect: 100-continue\r\n",
                "\"role\":",
                "\"n\":129",
                "\"stop\":[]",
                "\"max_tokens\":",
                "\"response_format\":{\"type\":\"json_schema\"}",
                "\"stream\":true",
                "{",
                "}",
                "[",
                "]",
                ","));
    exchange(
        port,
        mutator,
        bytes -> {
          String answer = new String(bytes, StandardCharsets.ISO_8859_1);
          // Netty says the version again that it was told, whatever that is
          return !answer.isEmpty() && !answer.matches("(?s)[^ ]+/[0-9.]+ (?!500)[1-5][0-9]{2} .*");
        });
  }

  private static byte[] post(String path, String body) {
    return ("POST "
            + path
            + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n"
            + "Content-Length: "
            + body.length()
            + "\r\n\r\n"
            + body)
        .getBytes(StandardCharsets.US_ASCII);
  }

  /** Frames of HTTP/2 that are not quite right. */
  private void rawBytes(int port, long turn) throws Exception {
    byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII);
    byte[] settings = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    byte[] ping = {0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
    byte[] headers = {0, 0, 4, 1, 4, 0, 0, 0, 1, (byte) 0x83, (byte) 0x86, (byte) 0x84, 0x41};
    byte[] window = {0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, -1, -1, -1};
    byte[] goAway = {0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0};
    Mutator mutator =
        new Mutator(
            SEED + turn,
            List.of(
                joined(preface, settings, ping, headers, goAway),
                joined(preface, settings, window, headers, headers, goAway)),
            List.of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\u0000\u0000\u0000\u0004\u0000"));
    exchange(port, mutator, _ -> false);
  }

  private static byte[] joined(byte[]... parts) {
    java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** Sends each input on a connection of its own, which the server must close. */
  private static void exchange(
      int port, Mutator mutator, java.util.function.Predicate<byte[]> isFault) {
    AtomicReference<String> finding = new AtomicReference<>("");
    Semaphore places = new Semaphore(AT_ONCE);
    Phaser running = new Phaser(1);
    for (int i = 0; i < INPUTS && finding.get().isEmpty(); i++) {
      byte[] input = mutator.next();
      places.acquireUninterruptibly();
      running.register();
      Thread.startVirtualThread(() -> {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
          socket.setSoTimeout(Math.toIntExact(HTTP_LIMIT.toMillis()));
          socket.getOutputStream().write(input);
          socket.shutdownOutput();
          byte[] answer = socket.getInputStream().readAllBytes();
          if (isFault.test(answer)) {
            finding.set(
                new String(input, StandardCharsets.UTF_8)
                    + "\nis answered by\n"
                    + new String(answer, StandardCharsets.UTF_8));
          }
        } catch (SocketTimeoutException e) {
          finding.set(
              "no end within " + HTTP_LIMIT + ":\n" + new String(input, StandardCharsets.UTF_8));
        } catch (IOException e) {
          // reset: the server does not want to hear more
        } finally {
          places.release();
          running.arriveAndDeregister();
        }
      });
    }
    running.arriveAndAwaitAdvance();
    assertThat(finding.get()).isEmpty();
  }
}
