package dev.sluice.worker.service;

import dev.sluice.v1.GenerateResponse;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;

/** Sends messages as they come. */
final class StreamSink implements ResponseSink {
  private final ServerCallStreamObserver<GenerateResponse> observer;

  StreamSink(ServerCallStreamObserver<GenerateResponse> observer) {
    this.observer = observer;
  }

  @Override
  public boolean isReady() {
    return observer.isReady();
  }

  @Override
  public void send(GenerateResponse response) {
    observer.onNext(response);
  }

  @Override
  public void complete() {
    observer.onCompleted();
  }

  @Override
  public void fail(StatusRuntimeException status) {
    observer.onError(status);
  }
}
