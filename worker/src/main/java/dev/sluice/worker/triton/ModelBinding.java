package dev.sluice.worker.triton;

import static java.util.Objects.requireNonNull;

import com.google.protobuf.ByteString;
import dev.sluice.triton.ModelConfig;
import dev.sluice.triton.ModelInput;
import dev.sluice.triton.ModelMetadataResponse;
import dev.sluice.triton.ModelMetadataResponse.TensorMetadata;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A model's tensors, matched with the configuration.
 *
 * @param inputs what it is sent
 * @param outputs what it gives
 */
record ModelBinding(Inputs inputs, Outputs outputs) {
  /**
   * Matches a model as it describes itself.
   *
   * @throws ModelMismatchException if it is not as configured; names every difference
   */
  static ModelBinding of(TritonConfig config, ModelMetadataResponse metadata, ModelConfig model)
      throws ModelMismatchException {
    Matcher matcher = new Matcher(config, metadata, model);
    ModelBinding binding =
        new ModelBinding(
            new Inputs(
                config,
                matcher.fields(),
                matcher.constants(),
                model.getModelTransactionPolicy().getDecoupled()),
            new Outputs(matcher.outputs()));
    matcher.checkComplete();
    if (!matcher.problems.isEmpty()) {
      throw new ModelMismatchException(config.model(), matcher.problems);
    }
    return binding;
  }

  /** Gathers all differences. */
  private static final class Matcher {
    private final TritonConfig config;
    private final ModelConfig model;
    private final Map<String, TensorMetadata> inputs = new LinkedHashMap<>();
    private final Map<String, TensorMetadata> outputs = new LinkedHashMap<>();
    private final Set<String> filled = new HashSet<>();
    private final List<String> problems = new ArrayList<>();

    Matcher(TritonConfig config, ModelMetadataResponse metadata, ModelConfig model) {
      this.config = config;
      this.model = model;
      metadata.getInputsList().forEach(tensor -> inputs.put(tensor.getName(), tensor));
      metadata.getOutputsList().forEach(tensor -> outputs.put(tensor.getName(), tensor));
    }

    private boolean takesText() {
      return config.prompt() == TritonConfig.PromptForm.TEXT;
    }

    Map<InputField, InputTensor> fields() {
      Map<String, String> named = Mapping.parse("inputs", config.inputs(), InputField.names());
      Map<InputField, InputTensor> fields = new EnumMap<>(InputField.class);
      for (InputField field : InputField.values()) {
        boolean applies =
            switch (field) {
              case TEXT -> takesText();
              case INPUT_IDS, INPUT_LENGTH, END_ID -> !takesText();
              case MAX_TOKENS,
                  MIN_TOKENS,
                  TEMPERATURE,
                  TOP_K,
                  TOP_P,
                  MIN_P,
                  REPETITION_PENALTY,
                  PRESENCE_PENALTY,
                  FREQUENCY_PENALTY,
                  SEED,
                  SAMPLING_PARAMETERS,
                  STREAM ->
                  true;
            };
        boolean needed = field == InputField.TEXT || field == InputField.INPUT_IDS;
        String name = named.get(field.label());
        if (applies && (name == null || !name.isEmpty())) {
          tensor(field, name == null ? field.usualTensors() : List.of(name), name != null || needed)
              .ifPresent(tensor -> fields.put(field, tensor));
        }
      }
      return fields;
    }

    private Optional<InputTensor> tensor(InputField field, List<String> names, boolean needed) {
      Optional<String> found = names.stream().filter(inputs::containsKey).findFirst();
      if (found.isEmpty()) {
        if (needed) {
          problems.add(
              "no input "
                  + String.join(" or ", names)
                  + " for "
                  + field.label()
                  + " (expected: one of "
                  + describe(inputs)
                  + "; triton.inputs names it)");
        }
        return Optional.empty();
      }
      TensorMetadata tensor = requireNonNull(inputs.get(found.get()));
      Optional<InputTensor> input = input(tensor);
      filled.add(tensor.getName());
      if (input.isEmpty() || !input.get().fits(field)) {
        problems.add(
            "input "
                + describe(tensor)
                + " for "
                + field.label()
                + " (expected: "
                + InputTensor.expected(field)
                + ")");
        return Optional.empty();
      }
      return input;
    }

    private static Optional<InputTensor> input(TensorMetadata tensor) {
      return TensorType.of(tensor.getDatatype())
          .map(type -> new InputTensor(tensor.getName(), type, tensor.getShapeCount()));
    }

    Map<InputTensor, ByteString> constants() {
      Map<InputTensor, ByteString> constants = new HashMap<>();
      Mapping.parse("constants", config.constants(), List.of())
          .forEach((name, value) -> {
            Optional<InputTensor> input =
                Optional.ofNullable(inputs.get(name)).flatMap(Matcher::input);
            if (input.isEmpty()) {
              problems.add(
                  "no input "
                      + name
                      + " for a constant (expected: one of "
                      + describe(inputs)
                      + ")");
              return;
            }
            filled.add(name);
            try {
              constants.put(input.get(), input.get().type().parse(value));
            } catch (IllegalArgumentException e) {
              problems.add(
                  "constant " + name + "=" + value + " (expected: " + input.get().type() + ")");
            }
          });
      return constants;
    }

    Map<OutputField, String> outputs() {
      Map<String, String> named = Mapping.parse("outputs", config.outputs(), OutputField.names());
      Map<OutputField, String> found = new EnumMap<>(OutputField.class);
      for (OutputField field : OutputField.values()) {
        boolean applies =
            switch (field) {
              case TEXT, TOKENS -> takesText();
              case OUTPUT_IDS -> !takesText();
              case FINISH_REASON -> true;
            };
        if (!applies) {
          continue;
        }
        boolean needed = field == OutputField.TEXT || field == OutputField.OUTPUT_IDS;
        String name = named.getOrDefault(field.label(), field.usualTensor());
        TensorMetadata tensor = outputs.get(name);
        if (tensor == null) {
          if (needed || named.containsKey(field.label())) {
            problems.add(
                "no output "
                    + name
                    + " for "
                    + field.label()
                    + " (expected: one of "
                    + describe(outputs)
                    + "; triton.outputs names it)");
          }
        } else if (!fits(tensor, field)) {
          problems.add(
              "output "
                  + describe(tensor)
                  + " for "
                  + field.label()
                  + " (expected: "
                  + (isText(field) ? "BYTES" : "integers")
                  + ")");
        } else {
          found.put(field, name);
        }
      }
      return found;
    }

    private static boolean isText(OutputField field) {
      return switch (field) {
        case TEXT, FINISH_REASON -> true;
        case OUTPUT_IDS, TOKENS -> false;
      };
    }

    private static boolean fits(TensorMetadata tensor, OutputField field) {
      return TensorType.of(tensor.getDatatype())
          .filter(type -> isText(field) ? type == TensorType.BYTES : type.isInteger())
          .isPresent();
    }

    /** A model does not run without its required inputs. */
    void checkComplete() {
      for (ModelInput input : model.getInputList()) {
        if (!input.getOptional() && !filled.contains(input.getName())) {
          problems.add(
              "the model requires input "
                  + describe(
                      inputs.getOrDefault(input.getName(), TensorMetadata.getDefaultInstance()))
                  + ", which no field is sent to (expected: an entry for it in triton.inputs or"
                  + " triton.constants)");
        }
      }
    }

    private static String describe(Map<String, TensorMetadata> tensors) {
      return tensors.values().stream().map(Matcher::describe).collect(Collectors.joining(", "));
    }

    private static String describe(TensorMetadata tensor) {
      return tensor.getName() + " " + tensor.getDatatype() + tensor.getShapeList();
    }
  }
}
