package dev.sluice.worker.engine;

/**
 * A task that an engine has taken, to be named in {@link GenerationEngine#cancel} and {@link
 * GenerationEngine#stop}; each engine knows only its own.
 */
public interface TaskHandle {
  String requestId();
}
