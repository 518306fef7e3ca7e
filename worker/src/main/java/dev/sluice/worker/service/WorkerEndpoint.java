package dev.sluice.worker.service;

import com.google.protobuf.ByteString;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.server.Errors;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.DescribeRequest;
import dev.sluice.v1.DescribeResponse;
import dev.sluice.v1.DrainRequest;
import dev.sluice.v1.DrainResponse;
import dev.sluice.v1.FetchTokenizerRequest;
import dev.sluice.v1.FetchTokenizerResponse;
import dev.sluice.v1.TokenizerInfo;
import dev.sluice.v1.UndrainRequest;
import dev.sluice.v1.UndrainResponse;
import dev.sluice.v1.WatchRequest;
import dev.sluice.v1.WatchResponse;
import dev.sluice.v1.WorkerServiceGrpc;
import dev.sluice.worker.engine.EngineSnapshot;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * The worker's WorkerService.
 *
 * <p>Threading: handlers run on virtual threads of the server.
 */
final class WorkerEndpoint extends WorkerServiceGrpc.WorkerServiceImplBase {
  private static final int CHUNK_BYTES = 512 << 10;

  private final Supplier<WorkerCore> core;
  private final Availability availability;
  private final Duration defaultGrace;

  /**
   * @param core throws a {@link RefusalException} while the worker is not ready
   * @param defaultGrace for drains that name none
   */
  WorkerEndpoint(Supplier<WorkerCore> core, Availability availability, Duration defaultGrace) {
    this.core = core;
    this.availability = availability;
    this.defaultGrace = defaultGrace;
  }

  @Override
  public void watch(WatchRequest request, StreamObserver<WatchResponse> observer) {
    try {
      core.get().watch().subscribe(request, (ServerCallStreamObserver<WatchResponse>) observer);
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  @Override
  public void fetchTokenizer(
      FetchTokenizerRequest request, StreamObserver<FetchTokenizerResponse> observer) {
    try {
      TokenizerBundle bundle = core.get().model().tokenization().bundle();
      ByteString json = ByteString.copyFromUtf8(bundle.tokenizerJson());
      ServerCallStreamObserver<FetchTokenizerResponse> call =
          (ServerCallStreamObserver<FetchTokenizerResponse>) observer;
      call.setOnReadyHandler(new Chunks(call, json));
      call.onNext(FetchTokenizerResponse.newBuilder().setInfo(info(bundle, json.size())).build());
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  private static TokenizerInfo info(TokenizerBundle bundle, int jsonBytes) {
    return TokenizerInfo.newBuilder()
        .setFingerprint(bundle.fingerprint())
        .setChatTemplate(bundle.chatTemplate())
        .setBosToken(bundle.bosToken())
        .setEosToken(bundle.eosToken())
        .addAllEosTokenIds(bundle.eosTokenIds())
        .setAddBos(bundle.addBos())
        .setTokenizerJsonBytes(jsonBytes)
        .build();
  }

  @Override
  public void drain(DrainRequest request, StreamObserver<DrainResponse> observer) {
    try {
      WorkerCore ready = core.get();
      Duration grace =
          request.hasGrace()
              ? Duration.ofSeconds(request.getGrace().getSeconds(), request.getGrace().getNanos())
              : defaultGrace;
      if (grace.isNegative()) {
        throw RefusalException.invalid("grace", grace + " (expected: 0 or more)");
      }
      availability.draining();
      ready.engine().drain(grace);
      EngineSnapshot now = ready.engine().snapshot();
      observer.onNext(
          DrainResponse.newBuilder()
              .setRemainingRequests(now.runningRequests() + now.waitingRequests())
              .build());
      observer.onCompleted();
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  @Override
  public void undrain(UndrainRequest request, StreamObserver<UndrainResponse> observer) {
    try {
      core.get().engine().undrain();
      availability.ready();
      observer.onNext(UndrainResponse.getDefaultInstance());
      observer.onCompleted();
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  @Override
  public void describe(DescribeRequest request, StreamObserver<DescribeResponse> observer) {
    try {
      observer.onNext(core.get().profile().describe().setState(availability.state()).build());
      observer.onCompleted();
    } catch (RuntimeException e) {
      Errors.refuse(observer, e);
    }
  }

  /** Sends a text in chunks, as fast as it is read. */
  private static final class Chunks implements Runnable {
    private final ServerCallStreamObserver<FetchTokenizerResponse> call;
    private final ByteString bytes;
    private int sent;
    private boolean over;

    Chunks(ServerCallStreamObserver<FetchTokenizerResponse> call, ByteString bytes) {
      this.call = call;
      this.bytes = bytes;
    }

    @Override
    public void run() {
      while (call.isReady() && !over) {
        int end = Math.min(bytes.size(), sent + CHUNK_BYTES);
        call.onNext(
            FetchTokenizerResponse.newBuilder()
                .setTokenizerJson(bytes.substring(sent, end))
                .build());
        sent = end;
        if (sent == bytes.size()) {
          over = true;
          call.onCompleted();
        }
      }
    }
  }
}
