package dev.sluice.app.cli;

/**
 * Something to do when the process is told to stop by SIGINT (Ctrl-C), SIGTERM or SIGHUP. Closing
 * takes it back. The process then ends with 128 + the number of the signal: 130 or 143.
 */
public final class AtExit implements AutoCloseable {
  private final Thread hook;

  private AtExit(Thread hook) {
    this.hook = hook;
  }

  public static AtExit run(Runnable action) {
    Thread hook = new Thread(action, "sluice-at-exit");
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException e) {
      // Too late to be called: the process is stopping already.
      action.run();
    }
    return new AtExit(hook);
  }

  /** Whether the process is stopping: failures are then consequences and not worth a word. */
  public static boolean inProgress() {
    Thread probe = new Thread(() -> {});
    try {
      Runtime.getRuntime().addShutdownHook(probe);
      Runtime.getRuntime().removeShutdownHook(probe);
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  @Override
  public void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // Stopping: the action runs, or ran.
    }
  }
}
