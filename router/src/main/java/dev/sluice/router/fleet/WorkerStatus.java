package dev.sluice.router.fleet;

/** How the router sees a worker: joining, ready, draining, gone; or suspect at any time. */
public enum WorkerStatus {
  /** Known, but no complete snapshot yet, or its model is still being loaded. */
  JOINING,
  /** Takes requests. */
  READY,
  /** Finishes what it has. */
  DRAINING,
  /** Was known, and its Watch stream broke or fell silent, or its engine stands still. */
  SUSPECT,
  /** Left the fleet. */
  GONE
}
