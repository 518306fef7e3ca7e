package dev.sluice.common.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One tokenizer of the native library, reached by the JNI functions that {@code
 * HuggingFaceTokenizer} itself calls.
 *
 * <p>Why not that class: it truncates at 512 tokens and pads unless told otherwise, makes ten JNI
 * calls and as many arrays per encoded text where two are enough, and looks for a telemetry
 * endpoint over the network when it is created.
 *
 * <p>Threading: any number of threads may call at once; nothing is changed after construction.
 * {@link #close} refuses new calls, and the memory is freed by whoever is the last inside, since
 * the native side has no guard against use after free.
 */
final class NativeTokenizer implements AutoCloseable {
  private static final TokenizersLibrary LIB = TokenizersLibrary.LIB;

  private final long handle;

  /** Calls inside, plus one until closed; the handle is freed when it falls to 0. */
  private final AtomicInteger users = new AtomicInteger(1);

  private final AtomicBoolean closed = new AtomicBoolean();

  private NativeTokenizer(long handle) {
    this.handle = handle;
  }

  static NativeTokenizer parse(String tokenizerJson) {
    // Without this the library's loader fetches another build from the network on GPU machines.
    if (System.getenv("DJL_OFFLINE") == null && System.getProperty("ai.djl.offline") == null) {
      System.setProperty("ai.djl.offline", "true");
    }
    long handle;
    try {
      LibUtils.checkStatus();
      handle = LIB.createTokenizerFromString(Surrogates.repair(tokenizerJson));
    } catch (EngineException | LinkageError e) {
      throw new TokenizerException("cannot load the native tokenizer library: " + e, e);
    } catch (RuntimeException e) {
      throw new TokenizerException("tokenizer.json is not usable: " + e.getMessage(), e);
    }
    // Settings stored in the file would cut long prompts or add padding.
    LIB.disableTruncation(handle);
    LIB.disablePadding(handle);
    return new NativeTokenizer(handle);
  }

  /** Token ids of the text, without what the post-processor would add. */
  long[] encode(String text) {
    String repaired = Surrogates.repair(text);
    enter();
    try {
      long encoding = LIB.encode(handle, repaired, false);
      try {
        return LIB.getTokenIds(encoding);
      } finally {
        LIB.deleteEncoding(encoding);
      }
    } catch (RuntimeException e) {
      throw new TokenizerException(
          "cannot tokenize a text of " + text.length() + " characters: " + e.getMessage(), e);
    } finally {
      leave();
    }
  }

  /** The ids must be known ones: the native side drops unknown ones without a word. */
  String decode(long[] ids, boolean skipSpecial) {
    enter();
    try {
      return LIB.decode(handle, ids, skipSpecial);
    } catch (RuntimeException e) {
      throw new TokenizerException("cannot decode " + ids.length + " tokens: " + e.getMessage(), e);
    } finally {
      leave();
    }
  }

  @Override
  public void close() {
    if (!closed.getAndSet(true)) {
      leave();
    }
  }

  private void enter() {
    int seen;
    do {
      seen = users.get();
      if (seen == 0 || closed.get()) {
        throw new IllegalStateException("the tokenizer is closed");
      }
    } while (!users.compareAndSet(seen, seen + 1));
  }

  private void leave() {
    if (users.decrementAndGet() == 0) {
      LIB.deleteTokenizer(handle);
    }
  }
}
