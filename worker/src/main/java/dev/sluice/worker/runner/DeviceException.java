package dev.sluice.worker.runner;

/** A device that was asked for cannot be had; the message says which, and what it takes. */
public final class DeviceException extends RuntimeException {
  DeviceException(String message, Throwable cause) {
    super(message, cause);
  }
}
