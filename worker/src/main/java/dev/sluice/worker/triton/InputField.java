package dev.sluice.worker.triton;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A field of a request that a model may have an input tensor for. */
@SuppressWarnings("ImmutableEnumChecker") // lists that cannot change, functions without state
enum InputField {
  TEXT("text", List.of("text_input"), a -> text(a.task().promptText().orElseThrow())),
  INPUT_IDS("input-ids", List.of("input_ids"), a -> ids(a.task().promptTokens())),
  INPUT_LENGTH("input-length", List.of("input_lengths"), a -> number(a.task().promptLength())),
  MAX_TOKENS("max-tokens", List.of("max_tokens", "request_output_len"), a -> number(a.maxTokens())),
  MIN_TOKENS("min-tokens", List.of("min_tokens", "min_length"), a -> number(a.task().minTokens())),
  TEMPERATURE("temperature", List.of("temperature"), a -> number(a.sampling().temperature())),
  TOP_K("top-k", List.of("top_k", "runtime_top_k"), a -> number(a.sampling().topK())),
  TOP_P("top-p", List.of("top_p", "runtime_top_p"), a -> number(a.sampling().topP())),
  MIN_P("min-p", List.of("min_p"), a -> number(a.sampling().minP())),
  REPETITION_PENALTY(
      "repetition-penalty",
      List.of("repetition_penalty"),
      a -> number(a.sampling().penalties().repetition())),
  PRESENCE_PENALTY(
      "presence-penalty",
      List.of("presence_penalty"),
      a -> number(a.sampling().penalties().presence())),
  FREQUENCY_PENALTY(
      "frequency-penalty",
      List.of("frequency_penalty"),
      a -> number(a.sampling().penalties().frequency())),
  SEED("seed", List.of("seed", "random_seed"), a -> integer(a.sampling().seed())),
  END_ID("end-id", List.of("end_id"), InputField::endId),
  /** All of the sampling in one JSON text, as vLLM's backend takes it. */
  SAMPLING_PARAMETERS(
      "sampling-parameters", List.of("sampling_parameters"), a -> text(SamplingJson.of(a))),
  /** Whether the model shall give its output in parts: whenever it can. */
  STREAM("stream", List.of("stream", "streaming"), _ -> Optional.empty());

  /** What a tensor is filled with. */
  sealed interface Value {
    /** An element of type BYTES. */
    record Text(String text) implements Value {}

    /** Any number of token ids. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Ids(int[] ids) implements Value {}

    /** One number, in whatever type the tensor has. */
    record Numeric(double number) implements Value {}

    /** One integer of which every bit counts. */
    record Whole(long integer) implements Value {}
  }

  private final String label;
  private final List<String> usualTensors;
  private final Function<Asked, Optional<Value>> value;

  InputField(String label, List<String> usualTensors, Function<Asked, Optional<Value>> value) {
    this.label = label;
    this.usualTensors = usualTensors;
    this.value = value;
  }

  /** As it is called in the configuration. */
  String label() {
    return label;
  }

  /** Names that models give its tensor; the first that a model has is taken. */
  List<String> usualTensors() {
    return usualTensors;
  }

  /** What a request says; empty if nothing. */
  Optional<Value> of(Asked asked) {
    return value.apply(asked);
  }

  static List<String> names() {
    return Arrays.stream(values()).map(InputField::label).toList();
  }

  private static Optional<Value> endId(Asked asked) {
    int[] ends = asked.task().eosTokenIds();
    return asked.task().ignoreEos() || ends.length == 0 ? number(-1) : number(ends[0]);
  }

  private static Optional<Value> text(String text) {
    return Optional.of(new Value.Text(text));
  }

  private static Optional<Value> ids(int[] ids) {
    return Optional.of(new Value.Ids(ids));
  }

  private static Optional<Value> number(double number) {
    return Optional.of(new Value.Numeric(number));
  }

  private static Optional<Value> integer(long integer) {
    return Optional.of(new Value.Whole(integer));
  }
}
