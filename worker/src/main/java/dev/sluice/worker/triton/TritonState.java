package dev.sluice.worker.triton;

/** Whether the model can be used. */
sealed interface TritonState {
  /** It can. */
  record Ready(ModelBinding binding) implements TritonState {}

  /**
   * The server cannot be reached, or does not have the model ready.
   *
   * @param why for people
   */
  record Away(String why) implements TritonState {}

  /**
   * The model is not as configured.
   *
   * @param why for people
   */
  record Unfit(String why) implements TritonState {}
}
