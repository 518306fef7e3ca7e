package dev.sluice.router.edge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.v1.Beam;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Sampling;
import dev.sluice.v1.Stopping;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The fields of OpenAI's requests, and vLLM's further ones, that say how to generate: everything
 * but the prompt and the form of the answer. Ranges are checked where the request is run, types
 * here. Fields that would change the output and that are not supported are refused; all others are
 * ignored, as clients send many that mean nothing here.
 *
 * <p>Threading: no state.
 */
public final class GenerationFields {
  private static final int MAX_CHOICES = 16;
  private static final int MAX_PRIORITY = 100;
  private static final int ANY = Integer.MAX_VALUE;
  private static final String ABSENT = "absent: it is not supported";

  /** Fields whose wishes would not be met. */
  private static final List<String> REFUSED =
      List.of(
          "tools",
          "functions",
          "function_call",
          "audio",
          "web_search_options",
          "prediction",
          "suffix",
          "bad_words",
          "logits_processors",
          "truncate_prompt_tokens",
          "chat_template",
          "prompt_embeds");

  private GenerationFields() {}

  /** Most output tokens, under its old or its new name. */
  public static OptionalInt maxTokens(Fields fields) {
    OptionalInt renamed = fields.integer("max_completion_tokens", 0, ANY);
    OptionalInt original = fields.integer("max_tokens", 0, ANY);
    return renamed.isPresent() ? renamed : original;
  }

  /** Sets everything but prompt, request id, log-probabilities and most tokens. */
  public static void apply(Fields fields, GenerateRequest.Builder request) {
    fields.text("model").ifPresent(request::setModel);
    int choices = fields.integer("n", 1, MAX_CHOICES).orElse(1);
    refuseOthers(fields, choices);
    request.setN(choices);
    if (fields.flag("use_beam_search", false)) {
      request.setBeam(beam(fields, choices));
    } else {
      request.setSampling(sampling(fields));
    }
    stopping(fields, request.getStoppingBuilder());
    ConstraintFields.read(fields).ifPresent(request::setConstraint);
    // vLLM: lower goes first; Sluice: higher goes first
    fields
        .integer("priority", -MAX_PRIORITY, MAX_PRIORITY)
        .ifPresent(priority -> request.setPriority(-priority));
    fields.text("cache_salt").ifPresent(request::setCacheSalt);
    fields.text("prompt_cache_key").ifPresent(request::setSessionId);
  }

  private static void refuseOthers(Fields fields, int choices) {
    for (String name : REFUSED) {
      if (fields.isSet(name)) {
        fields.refuse(name, ABSENT);
      }
    }
    fields
        .get("tool_choice")
        .filter(choice -> !List.of("none", "auto").contains(choice.asText()))
        .ifPresent(_ -> fields.refuse("tool_choice", "none, as tools are not supported"));
    fields
        .integer("best_of", 1, ANY)
        .ifPresent(bestOf -> {
          if (bestOf != choices) {
            fields.refuse("best_of", "n: all choices are returned");
          }
        });
    if (!fields.flag("skip_special_tokens", true)) {
      fields.refuse("skip_special_tokens", "true: special tokens are no part of the text");
    }
    if (fields.get("modalities").isPresent()
        && !fields.texts("modalities").equals(List.of("text"))) {
      fields.refuse("modalities", "[\"text\"]");
    }
  }

  private static Beam beam(Fields fields, int choices) {
    Beam.Builder beam = Beam.newBuilder().setWidth(choices);
    ifPresent(fields.number("length_penalty"), beam::setLengthPenalty);
    beam.setEarlyStopping(fields.flag("early_stopping", false));
    return beam.build();
  }

  private static Sampling sampling(Fields fields) {
    Sampling.Builder sampling = Sampling.newBuilder();
    ifPresent(fields.number("temperature"), sampling::setTemperature);
    // vLLM: -1 and 0 both keep all
    fields.integer("top_k", -1, ANY).ifPresent(k -> sampling.setTopK(Math.max(0, k)));
    ifPresent(fields.number("top_p"), sampling::setTopP);
    ifPresent(fields.number("min_p"), sampling::setMinP);
    ifPresent(fields.number("typical_p"), sampling::setTypicalP);
    ifPresent(fields.number("repetition_penalty"), sampling::setRepetitionPenalty);
    ifPresent(fields.number("presence_penalty"), sampling::setPresencePenalty);
    ifPresent(fields.number("frequency_penalty"), sampling::setFrequencyPenalty);
    fields.integer("seed").ifPresent(sampling::setSeed);
    sampling.addAllAllowedTokenIds(fields.tokens("allowed_token_ids"));
    fields.object("logit_bias").ifPresent(bias -> biases(bias, sampling));
    return sampling.build();
  }

  private static void biases(Fields bias, Sampling.Builder sampling) {
    for (Map.Entry<String, JsonNode> entry : bias.json().properties()) {
      OptionalDouble value = bias.number(entry.getKey());
      try {
        int token = Integer.parseInt(entry.getKey());
        if (token < 0) {
          throw new NumberFormatException();
        }
        ifPresent(value, v -> sampling.putLogitBias(token, v));
      } catch (NumberFormatException _) {
        bias.add(entry.getKey(), "is no token id (expected: a whole number from 0)");
      }
    }
  }

  private static void stopping(Fields fields, Stopping.Builder stopping) {
    fields.integer("min_tokens", 0, ANY).ifPresent(stopping::setMinTokens);
    stopping.addAllStop(fields.texts("stop"));
    stopping.addAllStopTokenIds(fields.tokens("stop_token_ids"));
    stopping.setIncludeStop(fields.flag("include_stop_str_in_output", false));
    stopping.setIgnoreEos(fields.flag("ignore_eos", false));
  }

  private interface FloatSetter {
    Object set(float value);
  }

  private static void ifPresent(OptionalDouble value, FloatSetter setter) {
    if (value.isPresent()) {
      Object _ = setter.set((float) value.getAsDouble());
    }
  }

  /** The name, in these requests, of a field of GenerateRequest; empty if it has none there. */
  public static Optional<String> nameOf(String field) {
    String first = field.split("[\\[.]", 2)[0];
    return switch (first) {
      case "sampling", "stopping" -> Optional.of(renamed(field.substring(first.length() + 1)));
      case "chat" -> Optional.of(field.equals("chat") ? "messages" : field.substring(5));
      case "text", "token_ids", "prompt" -> Optional.of("prompt");
      case "beam" -> Optional.of(field.equals("beam.width") ? "n" : renamed(afterDot(field)));
      case "constraint" -> Optional.of("response_format");
      case "logprobs" ->
          Optional.of(field.equals("logprobs.prompt") ? "prompt_logprobs" : "logprobs");
      case "session_id" -> Optional.of("prompt_cache_key");
      case "hop", "tenant", "ttft_target" -> Optional.empty();
      default -> Optional.of(field);
    };
  }

  private static String afterDot(String field) {
    return field.substring(field.indexOf('.') + 1);
  }

  private static String renamed(String field) {
    return field.equals("include_stop") ? "include_stop_str_in_output" : field;
  }
}
