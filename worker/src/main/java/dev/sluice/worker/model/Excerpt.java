package dev.sluice.worker.model;

/** Values of files in messages. */
final class Excerpt {
  private static final int SHOWN = 80;

  private Excerpt() {}

  /** The text, or its beginning if it is long. */
  static String of(String text) {
    return text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
  }
}
