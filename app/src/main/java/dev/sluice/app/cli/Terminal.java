package dev.sluice.app.cli;

/**
 * What is known of the terminal. Java cannot tell for each stream, so the launcher does, by the
 * property {@value #PROPERTY}: the file descriptors that are terminals, such as {@code 12}.
 *
 * @param in whether standard input is a terminal
 * @param out whether standard output is one
 * @param err whether standard error is one
 * @param styled whether colours and cursor movements are welcome
 */
public record Terminal(boolean in, boolean out, boolean err, boolean styled) {
  private static final String PROPERTY = "sluice.terminals";

  /** The terminal of this process. */
  public static Terminal ofProcess() {
    String terminals = System.getProperty(PROPERTY, "");
    String term = System.getenv().getOrDefault("TERM", "dumb");
    boolean styled = !term.equals("dumb") && System.getenv().getOrDefault("NO_COLOR", "").isEmpty();
    return new Terminal(
        terminals.contains("0"), terminals.contains("1"), terminals.contains("2"), styled);
  }

  /** Whether standard error can be drawn on: progress bars, live tables. */
  public boolean drawsOnErr() {
    return err && styled;
  }

  /** Whether standard output can be drawn on. */
  public boolean drawsOnOut() {
    return out && styled;
  }
}
