package dev.sluice.router.prompt;

import com.google.protobuf.ByteString;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.FetchTokenizerRequest;
import dev.sluice.v1.FetchTokenizerResponse;
import dev.sluice.v1.TokenizerInfo;
import dev.sluice.v1.WorkerServiceGrpc;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gets a tokenizer from a worker: one call, a few megabytes in chunks.
 *
 * <p>Threading: called by the channel, one callback at a time.
 */
public final class TokenizerFetch extends ClientCall.Listener<FetchTokenizerResponse> {
  private static final long TIMEOUT_SECONDS = 60;
  private static final int MOST_BYTES = 128 << 20;

  private final ClientCall<FetchTokenizerRequest, FetchTokenizerResponse> call;
  private final CompletableFuture<TokenizerBundle> bundle = new CompletableFuture<>();
  private @Nullable TokenizerInfo info;
  private ByteString json = ByteString.EMPTY;

  private TokenizerFetch(ClientCall<FetchTokenizerRequest, FetchTokenizerResponse> call) {
    this.call = call;
  }

  /** The worker's tokenizer; fails with the call's status, or with what is wrong with the parts. */
  public static CompletableFuture<TokenizerBundle> from(Channel channel) {
    ClientCall<FetchTokenizerRequest, FetchTokenizerResponse> call =
        channel.newCall(
            WorkerServiceGrpc.getFetchTokenizerMethod(),
            CallOptions.DEFAULT.withDeadlineAfter(TIMEOUT_SECONDS, TimeUnit.SECONDS));
    TokenizerFetch fetch = new TokenizerFetch(call);
    call.start(fetch, new Metadata());
    call.sendMessage(FetchTokenizerRequest.getDefaultInstance());
    call.halfClose();
    call.request(1);
    return fetch.bundle;
  }

  @Override
  public void onMessage(FetchTokenizerResponse message) {
    if (message.hasInfo()) {
      info = message.getInfo();
    }
    json = json.concat(message.getTokenizerJson());
    if (json.size() > MOST_BYTES) {
      call.cancel("tokenizer.json: more than " + MOST_BYTES + " bytes", null);
      return;
    }
    call.request(1);
  }

  @Override
  public void onClose(Status status, Metadata trailers) {
    TokenizerInfo told = info;
    if (!status.isOk()) {
      bundle.completeExceptionally(status.asRuntimeException());
    } else if (told == null || told.getTokenizerJsonBytes() != json.size()) {
      bundle.completeExceptionally(
          Status.INTERNAL
              .withDescription(
                  "tokenizer.json: "
                      + json.size()
                      + " bytes (expected: "
                      + (told == null ? "its size, first" : told.getTokenizerJsonBytes())
                      + ")")
              .asRuntimeException());
    } else {
      bundle.complete(
          new TokenizerBundle(
              json.toStringUtf8(),
              told.getChatTemplate(),
              told.getBosToken(),
              told.getEosToken(),
              told.getEosTokenIdsList(),
              told.getAddBos()));
    }
  }
}
