package dev.sluice.worker.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnknownFieldSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A serialized {@code ModelProto}, read without its schema: by the field numbers of {@code
 * onnx.proto}.
 *
 * @param inputs types by name, as in {@code TensorProto.DataType}
 * @param initializers likewise
 * @param outputs likewise
 */
record OnnxModel(
    List<Node> nodes,
    Map<String, Integer> inputs,
    Map<String, Integer> initializers,
    Map<String, Integer> outputs) {
  /**
   * One node.
   *
   * @param attributes by name
   */
  record Node(
      String domain,
      String type,
      List<String> inputs,
      List<String> outputs,
      Map<String, Attribute> attributes) {}

  /**
   * An attribute.
   *
   * @param type {@code AttributeProto.AttributeType}: 1 float, 2 int, 3 string
   * @param integer its value, if it is an int
   */
  record Attribute(int type, long integer) {}

  static OnnxModel parse(byte[] model) {
    UnknownFieldSet graph = message(fields(ByteString.copyFrom(model)), 7);
    return new OnnxModel(
        messages(graph, 1).map(OnnxModel::node).toList(),
        types(graph, 11),
        initializers(graph),
        types(graph, 12));
  }

  private static Node node(UnknownFieldSet node) {
    Map<String, Attribute> attributes = new LinkedHashMap<>();
    messages(node, 5)
        .forEach(attribute ->
            attributes.put(
                text(attribute, 1),
                new Attribute((int) integer(attribute, 20), integer(attribute, 3))));
    return new Node(text(node, 7), text(node, 4), texts(node, 1), texts(node, 2), attributes);
  }

  private static Map<String, Integer> types(UnknownFieldSet graph, int field) {
    Map<String, Integer> types = new LinkedHashMap<>();
    messages(graph, field)
        .forEach(
            value -> types.put(text(value, 1), (int) integer(message(message(value, 2), 1), 1)));
    return types;
  }

  private static Map<String, Integer> initializers(UnknownFieldSet graph) {
    Map<String, Integer> types = new LinkedHashMap<>();
    messages(graph, 5).forEach(tensor -> types.put(text(tensor, 8), (int) integer(tensor, 2)));
    return types;
  }

  private static UnknownFieldSet fields(ByteString bytes) {
    try {
      return UnknownFieldSet.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static java.util.stream.Stream<UnknownFieldSet> messages(
      UnknownFieldSet fields, int field) {
    return fields.getField(field).getLengthDelimitedList().stream().map(OnnxModel::fields);
  }

  private static UnknownFieldSet message(UnknownFieldSet fields, int field) {
    return messages(fields, field).findFirst().orElseThrow();
  }

  private static List<String> texts(UnknownFieldSet fields, int field) {
    return fields.getField(field).getLengthDelimitedList().stream()
        .map(ByteString::toStringUtf8)
        .toList();
  }

  private static String text(UnknownFieldSet fields, int field) {
    return texts(fields, field).stream().findFirst().orElse("");
  }

  /** An int or enumeration; 0 if it is not there. */
  private static long integer(UnknownFieldSet fields, int field) {
    return fields.getField(field).getVarintList().stream().findFirst().orElse(0L);
  }
}
