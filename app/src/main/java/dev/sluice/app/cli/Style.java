package dev.sluice.app.cli;

/** Escape sequences of terminals, or nothing where they are not welcome. */
public record Style(boolean on) {
  public String bold(String text) {
    return wrap("1", text);
  }

  public String dim(String text) {
    return wrap("2", text);
  }

  public String green(String text) {
    return wrap("32", text);
  }

  public String yellow(String text) {
    return wrap("33", text);
  }

  public String red(String text) {
    return wrap("31", text);
  }

  /** Moves to the start of the line {@code lines} above and clears everything from there. */
  public String redraw(int lines) {
    if (!on) {
      return "";
    }
    return (lines > 0 ? "\u001b[" + lines + "A" : "") + "\r\u001b[J";
  }

  private String wrap(String code, String text) {
    return on ? "\u001b[" + code + "m" + text + "\u001b[0m" : text;
  }
}
