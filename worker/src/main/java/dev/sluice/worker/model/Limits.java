package dev.sluice.worker.model;

/** Largest sizes that a configuration may ask for: far beyond any model, safe to multiply. */
final class Limits {
  static final int LAYERS = 1 << 12;
  static final int HEADS = 1 << 12;
  static final int WIDTH = 1 << 24;
  static final int CONTEXT = 1 << 30;

  private Limits() {}
}
