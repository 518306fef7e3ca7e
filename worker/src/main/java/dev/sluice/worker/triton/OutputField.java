package dev.sluice.worker.triton;

import java.util.Arrays;
import java.util.List;

/** Something that a model may give. */
enum OutputField {
  TEXT("text", "text_output"),
  OUTPUT_IDS("output-ids", "output_ids"),
  /** Why the output ended: {@code length} if for its length. */
  FINISH_REASON("finish-reason", "finish_reason"),
  /** How many tokens a text is. */
  TOKENS("tokens", "num_output_tokens");

  private final String label;
  private final String usualTensor;

  OutputField(String label, String usualTensor) {
    this.label = label;
    this.usualTensor = usualTensor;
  }

  /** As it is called in the configuration. */
  String label() {
    return label;
  }

  /** The name that models give its tensor. */
  String usualTensor() {
    return usualTensor;
  }

  static List<String> names() {
    return Arrays.stream(values()).map(OutputField::label).toList();
  }
}
