package dev.sluice.app.cli;

import picocli.CommandLine.Option;

/** How a command writes its data. */
public final class OutputFormat {
  /** The formats. */
  public enum Kind {
    TEXT,
    JSON
  }

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      description = "text or json. Default: ${DEFAULT-VALUE}.")
  private Kind kind = Kind.TEXT;

  public boolean json() {
    return kind == Kind.JSON;
  }
}
