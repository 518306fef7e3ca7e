package dev.sluice.worker.graph;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.worker.graph.OnnxModel.Attribute;
import dev.sluice.worker.graph.OnnxModel.Node;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/**
 * Checks the nodes of a graph, one after the other, against what ONNX Runtime reports of its
 * operators: number, presence and types of inputs and outputs, names and types of attributes, and
 * whether the CUDA kernels take those types. The file is made by {@code operator_schemas.py}.
 */
final class OperatorSchemas {
  /** {@code TensorProto.DataType}, as the schemas call them. */
  private static final Map<Integer, String> ELEMENTS =
      Map.of(
          1,
          "float",
          2,
          "uint8",
          3,
          "int8",
          6,
          "int32",
          7,
          "int64",
          10,
          "float16",
          16,
          "bfloat16",
          17,
          "float8e4m3fn");

  /** {@code AttributeProto.AttributeType}. */
  private static final Map<Integer, String> ATTRIBUTES = Map.of(1, "FLOAT", 2, "INT", 3, "STRING");

  private final JsonNode root;

  OperatorSchemas() {
    String resource = "operator_schemas.json";
    try (InputStream in =
        Objects.requireNonNull(OperatorSchemas.class.getResourceAsStream(resource), resource)) {
      this.root = new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The version of ONNX Runtime that reported them. */
  String version() {
    return root.get("onnxruntime").asText();
  }

  /** Checks a model whose nodes are sorted. */
  void check(OnnxModel model) {
    Map<String, String> types = new HashMap<>();
    model.inputs().forEach((name, type) -> types.put(name, element(type)));
    model.initializers().forEach((name, type) -> types.put(name, element(type)));
    for (Node node : model.nodes()) {
      new NodeCheck(node, schema(node), types).run();
    }
    model
        .outputs()
        .forEach(
            (name, type) -> assertThat(types).as("outputs").containsEntry(name, element(type)));
  }

  private static String element(int type) {
    return Objects.requireNonNull(ELEMENTS.get(type), () -> "type " + type);
  }

  private JsonNode schema(Node node) {
    for (JsonNode schema : root.get("operators")) {
      if (schema.get("domain").asText().equals(node.domain())
          && schema.get("name").asText().equals(node.type())) {
        return schema;
      }
    }
    throw new AssertionError("no operator " + node.domain() + "." + node.type());
  }

  /**
   * One node.
   *
   * @param types of the tensors so far, by name
   */
  private record NodeCheck(
      Node node, JsonNode schema, Map<String, String> types, Map<String, String> bound) {
    NodeCheck(Node node, JsonNode schema, Map<String, String> types) {
      this(node, schema, types, new HashMap<>());
    }

    void run() {
      attributes();
      inputs();
      outputs();
    }

    private void attributes() {
      JsonNode known = schema.get("attributes");
      node.attributes()
          .forEach((name, attribute) -> {
            assertThat(known.has(name)).as("%s: attribute %s", node, name).isTrue();
            assertThat(ATTRIBUTES.get(attribute.type()))
                .as("%s: attribute %s", node, name)
                .isEqualTo(known.get(name).get("type").asText());
          });
      known
          .properties()
          .forEach(attribute -> {
            if (attribute.getValue().get("required").asBoolean()) {
              assertThat(node.attributes()).as("%s", node).containsKey(attribute.getKey());
            }
          });
    }

    private void inputs() {
      JsonNode parameters = schema.get("inputs");
      assertThat(node.inputs()).as("%s", node).hasSizeLessThanOrEqualTo(parameters.size());
      for (int i = 0; i < parameters.size(); i++) {
        JsonNode parameter = parameters.get(i);
        String input = i < node.inputs().size() ? node.inputs().get(i) : "";
        if (input.isEmpty()) {
          assertThat(parameter.get("option").asText())
              .as("%s: input %s is left out", node, parameter.get("name"))
              .isEqualTo("optional");
        } else {
          assertThat(types).as("%s: input %s", node, i).containsKey(input);
          bind(parameter, Objects.requireNonNull(types.get(input)));
        }
      }
    }

    private void outputs() {
      JsonNode parameters = schema.get("outputs");
      for (int i = 0; i < node.outputs().size(); i++) {
        JsonNode parameter = parameters.get(Math.min(i, parameters.size() - 1));
        boolean variadic = parameter.get("option").asText().equals("variadic");
        assertThat(i < parameters.size() || variadic).as("%s: output %s", node, i).isTrue();
        if (!node.outputs().get(i).isEmpty()) {
          types.put(node.outputs().get(i), outputType(parameter));
        }
      }
    }

    private String outputType(JsonNode parameter) {
      Attribute to = node.attributes().get("to");
      if (to != null) {
        bind(parameter, element((int) to.integer()));
      }
      String type = bound.get(parameter.get("type").asText());
      assertThat(type).as("%s: output %s", node, parameter.get("name")).isNotNull();
      return Objects.requireNonNull(type);
    }

    /** All parameters of one type variable have one type, which schema and kernel allow. */
    private void bind(JsonNode parameter, String type) {
      String variable = parameter.get("type").asText();
      if (!schema.get("types").has(variable)) {
        assertThat("tensor(" + type + ")").as("%s: %s", node, parameter).isEqualTo(variable);
        return;
      }
      String before = bound.putIfAbsent(variable, type);
      assertThat(before == null ? type : before).as("%s: %s", node, parameter).isEqualTo(type);
      assertThat(schema.get("types").get(variable))
          .as("%s: %s is %s", node, parameter, type)
          .anyMatch(allowed -> allowed.asText().equals(type));
      if (schema.get("cuda").has(variable)) {
        assertThat(schema.get("cuda").get(variable))
            .as("%s: CUDA kernel, %s is %s", node, parameter, type)
            .anyMatch(allowed -> allowed.asText().equals(type));
      }
    }
  }
}
