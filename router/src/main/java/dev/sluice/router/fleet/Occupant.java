package dev.sluice.router.fleet;

/** A call at a worker, as far as it shows whether the worker is alive. Threading: any thread. */
public interface Occupant {
  /** By which the worker's heartbeat names it. */
  String requestId();

  /** Messages that have come so far. */
  long received();

  /**
   * Whether the next token would come at once: it has been asked for, nobody downstream holds it
   * up, and the worker does not keep it back.
   */
  boolean awaiting();

  /** The worker stands still: goes elsewhere. Returns at once; a second time does nothing. */
  void leave(String why);
}
