package dev.sluice.worker.engine;

/**
 * A task that an engine has taken, to be named in {@link Engine#cancel} and {@link Engine#stop}.
 */
public sealed interface TaskHandle permits Request {
  String requestId();
}
