package dev.sluice.worker.ort;

import org.jspecify.annotations.Nullable;

/** ONNX Runtime refused or failed a call, or its library could not be loaded. */
public final class OrtException extends RuntimeException {
  /** Codes of {@code OrtErrorCode}, in order from 0. */
  public enum Code {
    OK,
    FAIL,
    INVALID_ARGUMENT,
    NO_SUCH_FILE,
    NO_MODEL,
    ENGINE_ERROR,
    RUNTIME_EXCEPTION,
    INVALID_PROTOBUF,
    MODEL_LOADED,
    NOT_IMPLEMENTED,
    INVALID_GRAPH,
    EP_FAIL,
    MODEL_LOAD_CANCELED,
    MODEL_REQUIRES_COMPILATION,
    NOT_FOUND;

    private static final Code[] VALUES = values();

    static Code of(int number) {
      return number >= 0 && number < VALUES.length ? VALUES[number] : FAIL;
    }
  }

  private final Code code;

  OrtException(Code code, String message, @Nullable Throwable cause) {
    super("ONNX Runtime: " + message, cause);
    this.code = code;
  }

  public Code code() {
    return code;
  }
}
