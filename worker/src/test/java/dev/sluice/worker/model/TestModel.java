package dev.sluice.worker.model;

import java.nio.file.Path;

/** The default model, for tests that need a real one. */
public final class TestModel {
  /** Name of the model in the catalogue. */
  public static final String NAME = "smollm2-135m";

  private TestModel() {}

  /** Its file, fetched into the store if it is not there; fails loudly if it cannot be had. */
  public static Path path() {
    return ModelStore.of(System.getenv()).resolve(NAME, Progress.NONE);
  }
}
