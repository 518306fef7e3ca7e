package dev.sluice.router.kserve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import dev.sluice.common.error.RefusalException;
import dev.sluice.router.edge.Fields;
import dev.sluice.router.edge.GenerationFields;
import dev.sluice.triton.InferParameter;
import dev.sluice.triton.ModelInferRequest;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.TokenIds;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Requests of the protocol to ours. The prompt is the input {@code text_input} or {@code
 * input_ids}. How to generate may be told by the request's parameters, by inputs of one element, or
 * by the input {@code sampling_parameters}, a JSON object, as Triton's vLLM backend has it; all in
 * vLLM's names, and in those of Triton's TensorRT-LLM backend where they differ.
 *
 * <p>Threading: no state.
 */
final class InferRequests {
  static final String TEXT_INPUT = "text_input";
  static final String INPUT_IDS = "input_ids";
  static final String SAMPLING = "sampling_parameters";
  static final String EXCLUDE_INPUT = "exclude_input_in_output";
  static final String STREAM = "stream";
  private static final String EMPTY_FINAL = "triton_enable_empty_final_response";
  private static final String TIMEOUT = "timeout";
  private static final long MAX_MICROS = 86_400_000_000L;
  private static final ObjectMapper MAPPER = JsonMapper.builder().build();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** TensorRT-LLM's names for what vLLM names otherwise. */
  private static final Map<String, String> RENAMED =
      Map.of(
          "stop_words", "stop",
          "min_length", "min_tokens",
          "random_seed", "seed",
          "request_output_len", "max_tokens",
          "runtime_top_k", "top_k",
          "runtime_top_p", "top_p");

  /** Fields that hold a list even where there is one element. */
  private static final Set<String> LISTS =
      Set.of("stop", "stop_token_ids", "allowed_token_ids", INPUT_IDS);

  /** Fields that are texts even where these look like numbers. */
  private static final Set<String> TEXTS =
      Set.of(
          TEXT_INPUT,
          "stop",
          "cache_salt",
          "prompt_cache_key",
          "guided_regex",
          "guided_json",
          "guided_choice");

  private InferRequests() {}

  /**
   * Translates one.
   *
   * @throws RefusalException naming all that is wrong
   */
  static Inference translate(ModelInferRequest request) {
    Fields fields = new Fields(collect(request));
    GenerateRequest.Builder generate = GenerateRequest.newBuilder();
    GenerationFields.apply(fields, generate);
    generate.setModel(request.getModelName());
    GenerationFields.maxTokens(fields)
        .ifPresent(n -> generate.getStoppingBuilder().setMaxTokens(n));
    setPrompt(fields, generate);
    OptionalLong timeout = fields.integer(TIMEOUT);
    if (timeout.isPresent() && (timeout.getAsLong() < 0 || timeout.getAsLong() > MAX_MICROS)) {
      fields.refuse(TIMEOUT, "microseconds, 0 to " + MAX_MICROS);
    }
    boolean echo = !fields.flag(EXCLUDE_INPUT, true);
    if (fields.flag("return_log_probs", false) || fields.flag("return_logprobs", false)) {
      fields.add("return_logprobs", "true (expected: false: it is not supported here)");
    }
    List<String> outputs =
        request.getOutputsList().stream()
            .map(ModelInferRequest.InferRequestedOutputTensor::getName)
            .toList();
    Inference inference =
        new Inference(
            generate.build(),
            request.getId(),
            echo ? generate.getText() : "",
            outputs.contains(ModelTensors.OUTPUT_IDS),
            outputs.contains(ModelTensors.FINISH_REASON)
                || fields.flag("return_finish_reason", false),
            fields.flag("return_num_output_tokens", false)
                || fields.flag("return_num_input_tokens", false),
            fields.flag(EMPTY_FINAL, false),
            timeout.orElse(0) > 0 ? timeout : OptionalLong.empty());
    fields.throwIfAny();
    return inference;
  }

  private static void setPrompt(Fields fields, GenerateRequest.Builder generate) {
    boolean text = fields.get(TEXT_INPUT).isPresent();
    boolean ids = fields.get(INPUT_IDS).isPresent();
    if (text == ids) {
      fields.add(
          TEXT_INPUT,
          (text ? "beside input_ids" : "missing") + " (expected: text_input or input_ids)");
    } else if (text) {
      fields.text(TEXT_INPUT).ifPresent(generate::setText);
    } else {
      generate.setTokenIds(TokenIds.newBuilder().addAllIds(fields.tokens(INPUT_IDS)));
    }
  }

  /** All that the request says, as one JSON object: what is more special wins. */
  private static ObjectNode collect(ModelInferRequest request) {
    ObjectNode all = NODES.objectNode();
    request.getParametersMap().forEach((name, value) -> put(all, name, value(value)));
    int raw = 0;
    for (ModelInferRequest.InferInputTensor tensor : request.getInputsList()) {
      ByteString contents = ByteString.EMPTY;
      if (!tensor.hasContents()) {
        if (raw >= request.getRawInputContentsCount()) {
          throw RefusalException.invalid(
              tensor.getName(), "no contents (expected: as many as inputs)");
        }
        contents = request.getRawInputContents(raw++);
      }
      ArrayNode elements = Tensors.read(tensor, contents);
      String name = RENAMED.getOrDefault(tensor.getName(), tensor.getName());
      if (LISTS.contains(name)) {
        all.set(name, elements);
      } else if (elements.size() == 1) {
        put(all, tensor.getName(), elements.get(0));
      } else {
        throw RefusalException.invalid(
            tensor.getName(), elements.size() + " elements (expected: 1)");
      }
    }
    JsonNode sampling = all.remove(SAMPLING);
    if (sampling != null) {
      sampling(sampling).properties().forEach(e -> put(all, e.getKey(), e.getValue()));
    }
    return all;
  }

  private static ObjectNode sampling(JsonNode text) {
    try {
      if (MAPPER.readTree(text.asText()) instanceof ObjectNode object) {
        return object;
      }
    } catch (JsonProcessingException _) {
      // told below
    }
    throw RefusalException.invalid(SAMPLING, "no JSON object (expected: one, as text)");
  }

  private static void put(ObjectNode all, String name, JsonNode value) {
    String known = RENAMED.getOrDefault(name, name);
    all.set(known, TEXTS.contains(known) ? value : unquoted(value));
  }

  /** Clients of older versions can send numbers only as texts. */
  private static JsonNode unquoted(JsonNode value) {
    if (!value.isTextual()) {
      return value;
    }
    String text = value.textValue().strip();
    if (text.equals("true") || text.equals("false")) {
      return NODES.booleanNode(text.equals("true"));
    }
    try {
      return text.length() > 32 ? value : NODES.numberNode(new BigDecimal(text));
    } catch (NumberFormatException _) {
      return value;
    }
  }

  private static JsonNode value(InferParameter parameter) {
    return switch (parameter.getParameterChoiceCase()) {
      case BOOL_PARAM -> NODES.booleanNode(parameter.getBoolParam());
      case INT64_PARAM -> NODES.numberNode(parameter.getInt64Param());
      case UINT64_PARAM -> NODES.numberNode(parameter.getUint64Param());
      case DOUBLE_PARAM -> NODES.numberNode(parameter.getDoubleParam());
      case STRING_PARAM -> NODES.textNode(parameter.getStringParam());
      case PARAMETERCHOICE_NOT_SET -> NODES.nullNode();
    };
  }
}
