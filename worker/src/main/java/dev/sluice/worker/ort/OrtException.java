package dev.sluice.worker.ort;

import org.jspecify.annotations.Nullable;

/** ONNX Runtime refused or failed a call, or its library could not be loaded. */
public final class OrtException extends RuntimeException {
  /** {@code OrtErrorCode}. */
  public enum Code {
    FAIL(1),
    INVALID_ARGUMENT(2),
    NO_SUCH_FILE(3),
    NO_MODEL(4),
    ENGINE_ERROR(5),
    RUNTIME_EXCEPTION(6),
    INVALID_PROTOBUF(7),
    MODEL_LOADED(8),
    NOT_IMPLEMENTED(9),
    INVALID_GRAPH(10),
    EP_FAIL(11),
    MODEL_LOAD_CANCELED(12),
    MODEL_REQUIRES_COMPILATION(13),
    NOT_FOUND(14);

    private final int number;

    Code(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }

    /** The code of a number; {@link #FAIL} for those that newer versions may add. */
    static Code of(int number) {
      for (Code code : values()) {
        if (code.number == number) {
          return code;
        }
      }
      return FAIL;
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
