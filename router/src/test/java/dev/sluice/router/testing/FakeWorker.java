package dev.sluice.router.testing;

import com.google.protobuf.ByteString;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.DetokenizeResponse;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.DrainResponse;
import dev.sluice.v1.FetchTokenizerRequest;
import dev.sluice.v1.FetchTokenizerResponse;
import dev.sluice.v1.GenerateOnceRequest;
import dev.sluice.v1.GenerateOnceResponse;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import dev.sluice.v1.GenerateResult;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.Heartbeat;
import dev.sluice.v1.KvEvents;
import dev.sluice.v1.Limits;
import dev.sluice.v1.Load;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenizeRequest;
import dev.sluice.v1.TokenizeResponse;
import dev.sluice.v1.TokenizerInfo;
import dev.sluice.v1.UndrainRequest;
import dev.sluice.v1.UndrainResponse;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerIdentity;
import dev.sluice.v1.WorkerServiceGrpc;
import dev.sluice.v1.WorkerSnapshot;
import dev.sluice.v1.WorkerState;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A worker without a model: a real gRPC server on loopback that answers as a test says.
 *
 * <p>Threading: thread-safe.
 */
public final class FakeWorker implements AutoCloseable {
  /** Answers one Generate. */
  public interface Script {
    void run(GenerateRequest request, ServerCallStreamObserver<GenerateResponse> client);
  }

  private final String id;
  private final Model model;
  private final WorkerIdentity identity;
  private final Capabilities capabilities;
  private final Server server;
  private final BlockingQueue<GenerateRequest> requests = new LinkedBlockingQueue<>();
  private final BlockingQueue<Metadata> headers = new LinkedBlockingQueue<>();
  private final Watchers watchers = new Watchers();
  private volatile Script script;
  private volatile long room; // 0: without bounds

  private FakeWorker(WorkerIdentity identity, boolean resume, Model model, int port) {
    this.id = identity.getWorkerId();
    this.identity = identity;
    this.capabilities = Capabilities.newBuilder().setTokenIds(true).setResume(resume).build();
    this.model = model;
    script = answer(3);
    try {
      server =
          NettyServerBuilder.forAddress(
                  new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
              .executor(Executors.newVirtualThreadPerTaskExecutor())
              .permitKeepAliveTime(1, TimeUnit.SECONDS)
              .addService(new Generation())
              .addService(watchers)
              .intercept(new HeaderLog())
              .build()
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Serves model {@code m}, alias {@code alias-of-m}; ready; answers three tokens. */
  public static FakeWorker start(String id) {
    return serving(id, model("m"), 0);
  }

  public static FakeWorker serving(String id, Model model, int port) {
    return new FakeWorker(
        WorkerIdentity.newBuilder().setWorkerId(id).setEpoch("e1").setVersion("test").build(),
        false,
        model,
        port);
  }

  /** As {@link #start}, but wants no more when it has so many prompt tokens to compute. */
  public static FakeWorker withRoom(String id, long promptTokens) {
    FakeWorker worker = start(id);
    worker.room = promptTokens;
    return worker;
  }

  /** Goes on with the streams of others, and computes what those of equal numerics compute. */
  public static FakeWorker resuming(String id, String numerics) {
    return resuming(id, numerics, "e1", 0);
  }

  /** As above, as a later start of the same worker. */
  public static FakeWorker resuming(String id, String numerics, String epoch, int port) {
    FakeWorker worker =
        new FakeWorker(
            WorkerIdentity.newBuilder()
                .setWorkerId(id)
                .setEpoch(epoch)
                .setNumericsFingerprint(numerics)
                .build(),
            true,
            model("m"),
            port);
    worker.script(new Generator(id));
    return worker;
  }

  public static Model model(String id) {
    return Model.newBuilder()
        .setId(id)
        .addAliases("alias-of-" + id)
        .setContextLength(2048)
        .setVocabularySize(100)
        .setBlockSize(16)
        .build();
  }

  /** A script that streams so many tokens. */
  public Script answer(int tokens) {
    return (request, client) -> {
      Answers.stream(id, request, tokens).forEach(client::onNext);
      client.onCompleted();
    };
  }

  public void script(Script next) {
    script = next;
  }

  public String id() {
    return id;
  }

  public int port() {
    return server.getPort();
  }

  public String address() {
    return "127.0.0.1:" + port();
  }

  /** The next request that arrived. */
  public GenerateRequest takeRequest() {
    return take(requests);
  }

  /** How many requests arrived that were not taken. */
  public int requestCount() {
    return requests.size();
  }

  /** Metadata of the next call of GenerationService that arrived. */
  public Metadata takeHeaders() {
    return take(headers);
  }

  public Watchers watchers() {
    return watchers;
  }

  /** Goes away in the middle of everything. */
  public void kill() {
    server.shutdownNow();
    try {
      server.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    kill();
  }

  public WorkerSnapshot.Builder snapshot() {
    return WorkerSnapshot.newBuilder()
        .setIdentity(identity)
        .setCapabilities(capabilities)
        .setModel(model)
        .setLimits(Limits.newBuilder().setMaxSequences(8).setMaxPendingPrefillTokens(room))
        .setState(WorkerState.WORKER_STATE_READY)
        .setSubscribers(1)
        .setLoad(Load.newBuilder().setKvBlocksTotal(100))
        .setLastChunk(true);
  }

  static <T> T take(BlockingQueue<T> queue) {
    try {
      T taken = queue.poll(20, TimeUnit.SECONDS);
      if (taken == null) {
        throw new AssertionError("nothing arrived within 20 s");
      }
      return taken;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private final class Generation extends GenerationServiceGrpc.GenerationServiceImplBase {
    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateResponse> client) {
      requests.add(request);
      script.run(request, (ServerCallStreamObserver<GenerateResponse>) client);
    }

    @Override
    public void generateOnce(
        GenerateOnceRequest request, StreamObserver<GenerateOnceResponse> client) {
      requests.add(request.getRequest());
      GenerateResult.Builder result = GenerateResult.newBuilder();
      for (GenerateResponse message : Answers.stream(id, request.getRequest(), 3)) {
        if (message.hasStarted()) {
          result.setStarted(message.getStarted());
        } else if (message.hasFinished()) {
          result.setFinished(message.getFinished());
        }
      }
      client.onNext(GenerateOnceResponse.newBuilder().setResult(result).build());
      client.onCompleted();
    }

    @Override
    public void tokenize(TokenizeRequest request, StreamObserver<TokenizeResponse> client) {
      client.onNext(TokenizeResponse.newBuilder().addTokenIds(7).setText(id).build());
      client.onCompleted();
    }

    @Override
    public void detokenize(DetokenizeRequest request, StreamObserver<DetokenizeResponse> client) {
      client.onNext(DetokenizeResponse.newBuilder().setText("of " + id).build());
      client.onCompleted();
    }
  }

  /** The Watch streams, fed by hand after the first snapshot. */
  public final class Watchers extends WorkerServiceGrpc.WorkerServiceImplBase {
    private final BlockingQueue<Watcher> opened = new LinkedBlockingQueue<>();
    private final BlockingQueue<DrainRequest> drains = new LinkedBlockingQueue<>();
    private final List<Watcher> open = new ArrayList<>(); // guarded by itself
    private volatile WorkerState state = WorkerState.WORKER_STATE_READY;
    private volatile boolean silent;
    private volatile Optional<TokenizerBundle> lent = Optional.empty();

    /** What it lends to routers; its model's fingerprint says so only if it was started with it. */
    public void lend(TokenizerBundle bundle) {
      lent = Optional.of(bundle);
    }

    /** New streams get nothing by themselves. */
    public void silent(boolean on) {
      silent = on;
    }

    /** The next stream that was opened. */
    public Watcher next() {
      return take(opened);
    }

    public DrainRequest takeDrain() {
      return take(drains);
    }

    /** Tells all open streams, and those that will be opened. */
    public void tell(WorkerState next) {
      state = next;
      synchronized (open) {
        open.forEach(w -> w.send(WatchResponse.newBuilder().setState(next)));
      }
    }

    public void tell(Load load) {
      tell(WatchResponse.newBuilder().setLoad(load).build());
    }

    public void tell(KvEvents events) {
      tell(WatchResponse.newBuilder().setKvEvents(events).build());
    }

    public void tell(Heartbeat heartbeat) {
      tell(WatchResponse.newBuilder().setHeartbeat(heartbeat).build());
    }

    private void tell(WatchResponse message) {
      synchronized (open) {
        open.forEach(w -> w.send(message.toBuilder()));
      }
    }

    @Override
    public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
      Watcher watcher = new Watcher((ServerCallStreamObserver<WatchResponse>) observer);
      synchronized (open) {
        open.add(watcher);
      }
      if (!silent) {
        watcher.send(WatchResponse.newBuilder().setSnapshot(snapshot().setState(state)));
      }
      opened.add(watcher);
    }

    @Override
    public void fetchTokenizer(
        FetchTokenizerRequest request, StreamObserver<FetchTokenizerResponse> observer) {
      if (lent.isEmpty()) {
        observer.onError(Status.UNIMPLEMENTED.asRuntimeException());
        return;
      }
      TokenizerBundle bundle = lent.get();
      ByteString json = ByteString.copyFromUtf8(bundle.tokenizerJson());
      observer.onNext(
          FetchTokenizerResponse.newBuilder()
              .setInfo(
                  TokenizerInfo.newBuilder()
                      .setFingerprint(bundle.fingerprint())
                      .setChatTemplate(bundle.chatTemplate())
                      .setBosToken(bundle.bosToken())
                      .setEosToken(bundle.eosToken())
                      .addAllEosTokenIds(bundle.eosTokenIds())
                      .setAddBos(bundle.addBos())
                      .setTokenizerJsonBytes(json.size()))
              .build());
      for (int from = 0; from < json.size(); from += 100) { // in many parts
        observer.onNext(
            FetchTokenizerResponse.newBuilder()
                .setTokenizerJson(json.substring(from, Math.min(json.size(), from + 100)))
                .build());
      }
      observer.onCompleted();
    }

    @Override
    public void drain(DrainRequest request, StreamObserver<DrainResponse> observer) {
      drains.add(request);
      tell(WorkerState.WORKER_STATE_DRAINING);
      observer.onNext(DrainResponse.getDefaultInstance());
      observer.onCompleted();
    }

    @Override
    public void undrain(UndrainRequest request, StreamObserver<UndrainResponse> observer) {
      tell(WorkerState.WORKER_STATE_READY);
      observer.onNext(UndrainResponse.getDefaultInstance());
      observer.onCompleted();
    }
  }

  /** One Watch stream. Numbers its messages. */
  public static final class Watcher {
    private final ServerCallStreamObserver<WatchResponse> observer;
    private long sequence;

    Watcher(ServerCallStreamObserver<WatchResponse> observer) {
      this.observer = observer;
      observer.setOnCancelHandler(() -> {}); // a message after a cancel is then no error
    }

    public synchronized void send(WatchResponse.Builder message) {
      observer.onNext(message.setSequence(++sequence).build());
    }

    /** Leaves out some sequence numbers. */
    public synchronized void skip(int count) {
      sequence += count;
    }

    public synchronized void end() {
      observer.onCompleted();
    }
  }

  private final class HeaderLog implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata metadata, ServerCallHandler<Q, A> next) {
      if (GenerationServiceGrpc.SERVICE_NAME.equals(call.getMethodDescriptor().getServiceName())) {
        headers.add(metadata);
      }
      return next.startCall(call, metadata);
    }
  }
}
