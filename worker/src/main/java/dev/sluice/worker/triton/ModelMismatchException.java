package dev.sluice.worker.triton;

import java.util.List;

/** A model's tensors are not those of the configuration; names every difference. */
final class ModelMismatchException extends Exception {
  private static final long serialVersionUID = 1;

  ModelMismatchException(String model, List<String> problems) {
    super("model " + model + ": " + String.join("; ", problems));
  }
}
