package dev.sluice.common.error;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/** Why a request is not served. {@link RefusalException} carries it; {@link Statuses} tells it. */
public sealed interface Refusal {
  /** For people: the offending value and what was expected. Never prompt text. */
  String message();

  /** A field's value and what was expected: {@code temperature: -1.0 (expected: 0.0 to 2.0)}. */
  record Violation(String field, String description) {}

  /** The request is wrong; every violation is named. INVALID_ARGUMENT with BadRequest. */
  record Invalid(List<Violation> violations) implements Refusal {
    public Invalid {
      violations = List.copyOf(violations);
    }

    @Override
    public String message() {
      StringBuilder text = new StringBuilder();
      for (Violation v : violations) {
        if (!text.isEmpty()) {
          text.append("; ");
        }
        text.append(v.field()).append(": ").append(v.description());
      }
      return text.toString();
    }
  }

  /** Something named does not exist. NOT_FOUND with ResourceInfo. */
  record NotFound(String resourceType, String resourceName, String message) implements Refusal {}

  /** A part whose behaviour is not there yet. UNIMPLEMENTED naming the field. */
  record Unimplemented(String field, String message) implements Refusal {}

  /** Nobody knows who calls. UNAUTHENTICATED with ErrorInfo; never with what was shown. */
  record Unauthenticated(String message) implements Refusal {}

  /** The caller is known and may not. PERMISSION_DENIED with ErrorInfo. */
  record Forbidden(String message) implements Refusal {}

  /** Could never be served by this process. FAILED_PRECONDITION with ErrorInfo. */
  record Unserviceable(String reason, String message, Map<String, String> numbers)
      implements Refusal {
    public Unserviceable {
      numbers = Map.copyOf(numbers);
    }
  }

  /** Not now. RESOURCE_EXHAUSTED with RetryInfo, ErrorInfo and push-back. */
  record Overloaded(String reason, String message, Duration retryAfter, Map<String, String> numbers)
      implements Refusal {
    public Overloaded {
      numbers = Map.copyOf(numbers);
    }
  }

  /** Nobody can serve it at the moment. UNAVAILABLE with RetryInfo and ErrorInfo. */
  record Unavailable(String reason, String message, Duration retryAfter) implements Refusal {}

  /** Its time is over. DEADLINE_EXCEEDED. */
  record DeadlineExceeded(String message) implements Refusal {}

  /** The caller hung up. CANCELLED. */
  record Cancelled(String message) implements Refusal {}

  /**
   * Our fault. INTERNAL with the request id, no stack trace.
   *
   * @param reason for ErrorInfo; empty if there is none that a program could act on
   */
  record Internal(String requestId, String message, String reason) implements Refusal {
    public Internal(String requestId, String message) {
      this(requestId, message, "");
    }
  }
}
