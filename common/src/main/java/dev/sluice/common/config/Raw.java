package dev.sluice.common.config;

import java.util.List;

/** A value as its source has it, before its type is known. */
sealed interface Raw {
  /** One scalar; from the environment and flags always this. */
  record Text(String text) implements Raw {}

  /** A YAML sequence of scalars. */
  record Items(List<String> texts) implements Raw {
    public Items {
      texts = List.copyOf(texts);
    }
  }

  /** YAML's null, or a key with nothing behind it. */
  record Nothing() implements Raw {}
}
