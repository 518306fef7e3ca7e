package dev.sluice.router.fleet;

/**
 * What one request adds to a worker's load, from the decision on: its prefill until the first
 * token, the rest until its end.
 *
 * <p>Threading: any thread, one at a time; what comes twice does nothing.
 */
public final class Charge {
  private final WorkerLink link;
  private final int newTokens;
  private boolean prefilled; // guarded by this
  private boolean released; // guarded by this

  Charge(WorkerLink link, int newTokens) {
    this.link = link;
    this.newTokens = newTokens;
  }

  /** Prompt tokens that the worker has to compute. */
  public int newTokens() {
    return newTokens;
  }

  /** The first token came. */
  public synchronized void prefilled() {
    if (!prefilled && !released) {
      prefilled = true;
      link.update(charged -> charged.prefilled(newTokens));
    }
  }

  /** The request has left the worker. */
  public synchronized void release() {
    if (!released) {
      released = true;
      boolean waited = prefilled;
      link.update(charged -> charged.minus(newTokens, waited));
    }
  }
}
