package dev.sluice.common.config;

import java.util.List;

/**
 * The configuration is wrong. The message has one line per problem: where, key, value, expected.
 */
public final class ConfigException extends RuntimeException {
  private final transient List<String> problems;

  ConfigException(List<String> problems) {
    super(String.join("\n", problems));
    this.problems = List.copyOf(problems);
  }

  ConfigException(String problem) {
    this(List.of(problem));
  }

  /** One line each, in the order of the sources: file, environment, flags. */
  public List<String> problems() {
    return problems;
  }
}
