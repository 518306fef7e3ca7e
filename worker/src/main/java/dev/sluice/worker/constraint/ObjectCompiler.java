package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes the part of a program that accepts an object:
 *
 * <pre>
 *   { member 0, member 1, … , other members }
 * </pre>
 *
 * Members come in the order of {@code properties}; those that are not required may be left out.
 * Others come last, and only if {@code additionalProperties} asks for them or no property is named.
 *
 * <p>Threading: the thread that compiles.
 */
final class ObjectCompiler {
  private static final int MAX_PROPERTIES = 1000;

  /** Members of other names. */
  private static final int MAX_OTHERS = 16;

  private final Program.Builder program;
  private final JsonTexts texts;
  private final SchemaCompiler.Values values;

  ObjectCompiler(Program.Builder program, JsonTexts texts, SchemaCompiler.Values values) {
    this.program = program;
    this.texts = texts;
    this.values = values;
  }

  Node compile(JsonNode schema, Node next, String path, int depth) {
    JsonNode declared = schema.path("properties");
    if (!declared.isMissingNode() && !declared.isObject()) {
      throw new ConstraintException("properties: (expected: an object of schemas)");
    }
    Set<String> required = Keywords.names(schema, "required");
    JsonNode additional = additional(schema, declared.isMissingNode());
    JsonNode undeclared = schema.has("additionalProperties") ? additional : BooleanNode.TRUE;
    Map<String, JsonNode> members = members(declared, required, undeclared);
    int others = others(schema, members.size(), required.size(), additional);

    Node close = program.scan(texts.closeObject(), next);
    // From the last member to the first: what may come after a comma, and whether the end may.
    List<Node> following = new ArrayList<>();
    boolean mayEnd = true;
    if (others > 0) {
      following.add(others(others, members.keySet(), additional, close, path, depth));
    }
    for (Map.Entry<String, JsonNode> member : new ArrayList<>(members.entrySet()).reversed()) {
      String name = member.getKey();
      Node after = afterMember(following, mayEnd, close);
      Node value =
          values.compile(
              member.getValue(), after, path + "/properties/" + escaped(name), depth + 1);
      Node node = program.scan(texts.name(name), value);
      if (required.contains(name)) {
        mayEnd = false;
        following = List.of(node);
      } else {
        List<Node> options = new ArrayList<>(List.of(node));
        options.addAll(following);
        following = List.of(program.choice(options));
      }
    }
    List<Node> first = new ArrayList<>(following);
    if (mayEnd) {
      first.add(close);
    }
    return program.scan(texts.openObject(), program.choice(first));
  }

  private Node afterMember(List<Node> following, boolean mayEnd, Node close) {
    if (following.isEmpty()) {
      return close;
    }
    Node comma = program.scan(texts.comma(), program.choice(following));
    return mayEnd ? program.choice(List.of(comma, close)) : comma;
  }

  /** Members of other names, at least one. */
  private Node others(
      int most, Set<String> names, JsonNode schema, Node close, String path, int depth) {
    Node.Loop loop = program.loop(1, most, close);
    Node value = values.compile(schema, loop, path + "/additionalProperties", depth + 1);
    Node member = program.scan(texts.otherName(names), value);
    loop.setBody(member, program.scan(texts.comma(), member));
    return program.enter(loop);
  }

  /** The schema of other members, false for none. */
  private static JsonNode additional(JsonNode schema, boolean nothingDeclared) {
    JsonNode additional = schema.path("additionalProperties");
    if (additional.isMissingNode()) {
      return BooleanNode.valueOf(nothingDeclared);
    }
    if (!additional.isBoolean() && !additional.isObject()) {
      throw new ConstraintException("additionalProperties: (expected: a schema)");
    }
    return additional;
  }

  /**
   * Named members and their schemas, without those that can have no value.
   *
   * @param undeclared schema of those that are required and not declared
   */
  private static Map<String, JsonNode> members(
      JsonNode declared, Set<String> required, JsonNode undeclared) {
    Map<String, JsonNode> members = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> property : declared.properties()) {
      if (!isFalse(property.getValue()) || required.contains(property.getKey())) {
        members.put(property.getKey(), property.getValue());
      }
    }
    for (String name : required) {
      if (!declared.has(name)) {
        members.put(name, undeclared);
      }
    }
    if (members.size() > MAX_PROPERTIES) {
      throw new ConstraintException(
          "properties: " + members.size() + " (expected: at most " + MAX_PROPERTIES + ")");
    }
    return members;
  }

  /** How many members of other names may come. */
  private static int others(JsonNode schema, int members, int required, JsonNode additional) {
    int min = Keywords.count(schema, "minProperties", 0);
    int max = Keywords.count(schema, "maxProperties", Integer.MAX_VALUE);
    if (min > required) {
      throw new ConstraintException(
          "minProperties: "
              + min
              + " (expected: at most the number of required properties, "
              + required
              + ")");
    }
    if (max < members) {
      throw new ConstraintException(
          "maxProperties: "
              + max
              + " (expected: at least the number of properties, "
              + members
              + ")");
    }
    return isFalse(additional) ? 0 : Math.min(MAX_OTHERS, max - members);
  }

  private static boolean isFalse(JsonNode schema) {
    return schema.isBoolean() && !schema.booleanValue();
  }

  /** A name as a part of a JSON pointer that is shown. */
  private static String escaped(String name) {
    return SchemaTree.excerpt(name.replace("~", "~0").replace("/", "~1"));
  }
}
