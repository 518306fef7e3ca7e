package dev.sluice.worker.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a program out of a JSON Schema (drafts 6 to 2020-12). All that it accepts is valid; where a
 * schema leaves things open, it accepts the usual part: members in the order of {@code properties},
 * others only if the schema asks for them, numbers of bounded length, bounded white space. What it
 * cannot hold to is refused by name.
 *
 * <p>Threading: the thread that compiles.
 */
final class SchemaCompiler {
  /** A rule that is called and not compiled yet. */
  private record Pending(Node.Rule rule, JsonNode schema, String path) {}

  private final SchemaTree tree;
  private final Budget budget;
  private final JsonTexts texts;
  private final SchemaMerge merge;
  private final Disjointness disjointness;
  private final ObjectCompiler objects;
  private final Program.Builder program = new Program.Builder();
  private final Map<String, Node.Rule> rules = new HashMap<>();
  private final ArrayDeque<Pending> pending = new ArrayDeque<>();

  private SchemaCompiler(SchemaTree tree, Budget budget) {
    this.tree = tree;
    this.budget = budget;
    this.texts = new JsonTexts(budget);
    this.merge = new SchemaMerge(budget);
    this.disjointness = new Disjointness(tree, budget);
    this.objects = new ObjectCompiler(program, texts, this::value);
  }

  /** Compiles the value of a member or an item. */
  interface Values {
    /**
     * Makes the part of the program that accepts a value.
     *
     * @param next what follows the value
     * @param path of the schema, for messages
     * @param depth of its nesting
     */
    Node compile(JsonNode schema, Node next, String path, int depth);
  }

  /**
   * @throws ConstraintException naming the keyword that is wrong or not supported, and its place
   */
  static Program compile(String schema, Budget budget) {
    budget.source(schema.length());
    SchemaTree tree = SchemaTree.read(schema);
    return new SchemaCompiler(tree, budget).run();
  }

  private Program run() {
    Node.Rule root = rule("#", tree.root());
    Node entry = program.call(root, program.end());
    while (!pending.isEmpty()) {
      Pending next = pending.removeFirst();
      next.rule.setEntry(value(next.schema, program.end(), next.path, 0));
    }
    LeftRecursion.refuse(rules);
    return program.build(entry);
  }

  private Node.Rule rule(String reference, JsonNode schema) {
    Node.Rule known = rules.get(reference);
    if (known == null) {
      known = new Node.Rule();
      rules.put(reference, known);
      pending.add(new Pending(known, schema, reference));
    }
    return known;
  }

  private Node value(JsonNode schema, Node next, String path, int depth) {
    budget.depth(depth);
    budget.node();
    if (schema.isBoolean()) {
      if (!schema.booleanValue()) {
        throw new ConstraintException(path + ": false, so that nothing can match");
      }
      return anything(next);
    }
    if (!schema.isObject()) {
      throw new ConstraintException(path + ": not a schema (expected: an object, true or false)");
    }
    try {
      return ofKeywords(schema, next, path, depth);
    } catch (ConstraintException e) {
      String message = String.valueOf(e.getMessage());
      throw message.startsWith("#") ? e : new ConstraintException(path + ": " + message);
    }
  }

  @SuppressWarnings("ReferenceEquality") // the root itself, not one that is equal
  private Node ofKeywords(JsonNode schema, Node next, String path, int depth) {
    List<String> keywords = SchemaTree.assertions(schema);
    if (schema.has("$id") && schema != tree.root()) {
      throw new ConstraintException("$id: not supported inside a schema");
    }
    if (keywords.isEmpty()) {
      return anything(next);
    }
    for (String combination : List.of("$ref", "allOf", "anyOf", "oneOf")) {
      if (schema.has(combination)) {
        return combined(combination, schema, next, path, depth);
      }
    }
    if (schema.has("const") || schema.has("enum")) {
      return closedSet(schema, keywords, next);
    }
    Set<ValueType> types = types(schema, keywords);
    List<Node> options = new ArrayList<>();
    for (ValueType type : types) {
      options.add(ofType(type, schema, next, path, depth));
    }
    return program.choice(options);
  }

  /** Any JSON value. */
  private Node anything(Node next) {
    ObjectNode any = JsonNodeFactory.instance.objectNode();
    ValueType.all().forEach(type -> any.withArray("type").add(type.keyword()));
    return program.call(rule("any value", any), next);
  }

  /** A schema that combines others, together with what stands beside that. */
  private Node combined(String keyword, JsonNode schema, Node next, String path, int depth) {
    ObjectNode beside = schema.deepCopy();
    budget.work(schema.size());
    JsonNode value = beside.remove(keyword);
    boolean alone = SchemaTree.assertions(beside).isEmpty();
    String inside = path + "/" + keyword;
    if (keyword.equals("$ref")) {
      String reference = value.asText();
      JsonNode target = tree.resolve(reference);
      return alone
          ? program.call(rule(reference, target), next)
          : value(merge.merge(target, beside), next, path, depth + 1);
    }
    if (!value.isArray() || value.isEmpty()) {
      throw new ConstraintException(keyword + ": (expected: an array of at least 1 schema)");
    }
    if (keyword.equals("allOf")) {
      JsonNode merged = beside;
      for (JsonNode part : value) {
        merged = merge.merge(merged, part.has("$ref") ? expanded(part) : part);
      }
      return value(merged, next, path, depth + 1);
    }
    List<JsonNode> wholes = new ArrayList<>();
    for (JsonNode option : value) {
      wholes.add(
          alone ? option : merge.merge(beside, option.has("$ref") ? expanded(option) : option));
    }
    if (keyword.equals("oneOf")) {
      checkDisjoint(wholes);
    }
    List<Node> options = new ArrayList<>();
    for (int i = 0; i < wholes.size(); i++) {
      JsonNode whole = wholes.get(i);
      if (!whole.isBoolean() || whole.booleanValue()) {
        options.add(value(whole, next, inside + "/" + i, depth + 1));
      }
    }
    if (options.isEmpty()) {
      throw new ConstraintException(keyword + ": nothing can match");
    }
    return program.choice(options);
  }

  /** A schema with its reference replaced by what it refers to. */
  private JsonNode expanded(JsonNode schema) {
    ObjectNode beside = schema.deepCopy();
    JsonNode reference = beside.remove("$ref");
    budget.node();
    return merge.merge(tree.resolve(reference.asText()), beside);
  }

  private void checkDisjoint(List<JsonNode> options) {
    for (int i = 0; i < options.size(); i++) {
      for (int j = i + 1; j < options.size(); j++) {
        if (!disjointness.areDisjoint(options.get(i), options.get(j))) {
          throw new ConstraintException(
              "oneOf: a value might match both option "
                  + i
                  + " and option "
                  + j
                  + " (expected: options that differ in type, or in the constant of a required"
                  + " property; or anyOf)");
        }
      }
    }
  }

  private Node closedSet(JsonNode schema, List<String> keywords, Node next) {
    for (String keyword : keywords) {
      if (!Set.of("const", "enum", "type").contains(keyword)) {
        throw new ConstraintException(
            keyword + ": beside " + (schema.has("const") ? "const" : "enum") + ", not supported");
      }
    }
    if (schema.has("enum") && !schema.get("enum").isArray()) {
      throw new ConstraintException("enum: (expected: an array)");
    }
    Set<ValueType> types =
        schema.has("type") ? ValueType.read(schema.get("type")) : ValueType.all();
    Set<String> values = new LinkedHashSet<>();
    Iterable<JsonNode> candidates =
        schema.has("const") ? List.of(schema.get("const")) : schema.get("enum");
    for (JsonNode value : candidates) {
      budget.work(1);
      boolean listed = true;
      if (schema.has("const") && schema.has("enum")) {
        listed = false;
        for (JsonNode item : schema.get("enum")) {
          listed |= item.equals(value);
        }
      }
      if (listed && !ValueType.common(Set.of(ValueType.of(value)), types).isEmpty()) {
        values.add(text(value));
      }
    }
    if (values.isEmpty()) {
      throw new ConstraintException("no constant is of the right type, so that nothing can match");
    }
    return program.scan(texts.literals(List.copyOf(values)), next);
  }

  /** A value as a JSON text, its strings as those of {@link TextEncoding#JSON}. */
  private static String text(JsonNode value) {
    if (value.isTextual()) {
      return '"' + TextEncoding.jsonContent(value.textValue()) + '"';
    }
    return value.toString();
  }

  private Set<ValueType> types(JsonNode schema, List<String> keywords) {
    Set<ValueType> spoken = new LinkedHashSet<>();
    for (String keyword : keywords) {
      boolean known = keyword.equals("type");
      for (ValueType type : ValueType.values()) {
        if (type.assertions().contains(keyword)) {
          spoken.add(type);
          known = true;
        }
      }
      if (!known) {
        throw new ConstraintException(SchemaTree.excerpt(keyword) + ": not supported");
      }
    }
    if (!schema.has("type")) {
      return spoken; // of the types that it allows, those that it speaks of
    }
    Set<ValueType> types = ValueType.read(schema.get("type"));
    if (types.isEmpty()) {
      throw new ConstraintException("type: none, so that nothing can match");
    }
    return types;
  }

  private Node ofType(ValueType type, JsonNode schema, Node next, String path, int depth) {
    return switch (type) {
      case OBJECT -> objects.compile(schema, next, path, depth);
      case ARRAY -> array(schema, next, path, depth);
      case STRING -> string(schema, next);
      case NUMBER -> program.scan(texts.number(range(schema, false)), next);
      case INTEGER -> program.scan(texts.number(range(schema, true)), next);
      case BOOLEAN -> program.scan(texts.literals(List.of("true", "false")), next);
      case NULL -> program.scan(texts.literals(List.of("null")), next);
    };
  }

  private Node array(JsonNode schema, Node next, String path, int depth) {
    int min = Keywords.count(schema, "minItems", 0);
    int max = Keywords.count(schema, "maxItems", Node.Loop.UNBOUNDED);
    JsonNode items = schema.path("items");
    if (items.isArray()) {
      throw new ConstraintException("items: an array, not supported (expected: a schema)");
    }
    if (items.isBoolean() && !items.booleanValue()) {
      max = 0;
    }
    if (Keywords.flag(schema, "uniqueItems") && max > 1) {
      throw new ConstraintException("uniqueItems: not supported");
    }
    Keywords.checkOrder("minItems", min, "maxItems", max);
    Node close = program.scan(texts.closeArray(), next);
    if (max == 0) {
      return program.scan(texts.openArray(), close);
    }
    Node.Loop loop = program.loop(min, max, close);
    JsonNode item = items.isMissingNode() ? JsonNodeFactory.instance.booleanNode(true) : items;
    Node first = value(item, loop, path + "/items", depth + 1);
    loop.setBody(first, program.scan(texts.comma(), first));
    return program.scan(texts.openArray(), program.enter(loop));
  }

  private Node string(JsonNode schema, Node next) {
    int min = Keywords.count(schema, "minLength", 0);
    int max = Keywords.count(schema, "maxLength", Node.Loop.UNBOUNDED);
    Keywords.checkOrder("minLength", min, "maxLength", max);
    Optional<String> pattern = Keywords.text(schema, "pattern");
    Optional<String> format = Keywords.text(schema, "format");
    if (pattern.isPresent() && format.isPresent()) {
      throw new ConstraintException("pattern: beside format, not supported");
    }
    if (pattern.isEmpty() && format.isEmpty()) {
      return min == 0 && max == Node.Loop.UNBOUNDED
          ? program.scan(texts.string(), next)
          : characters(min, max, next);
    }
    Regex regex =
        pattern
            .map(texts::found)
            .orElseGet(() ->
                RegexParser.parse(
                    Formats.pattern(format.orElseThrow())
                        .orElseThrow(() ->
                            new ConstraintException(
                                "format: \""
                                    + SchemaTree.excerpt(format.orElseThrow())
                                    + "\" (expected one of: "
                                    + Formats.known()
                                    + ")")),
                    budget));
    Node last = program.scan(texts.quote(), next);
    return program.scan(texts.quote(), program.scan(texts.content(regex, min, max), last));
  }

  /** A string whose characters are only counted. */
  private Node characters(int min, int max, Node next) {
    Node last = program.scan(texts.quote(), next);
    if (max == 0) {
      return program.scan(texts.quote(), last);
    }
    Node.Loop loop = program.loop(min, max, last);
    Node character = program.scan(texts.character(), loop);
    loop.setBody(character, character);
    return program.scan(texts.quote(), program.enter(loop));
  }

  private static Numbers.Range range(JsonNode schema, boolean wholeOnly) {
    return new Numbers.Range(
        wholeOnly,
        Keywords.bound(schema, "minimum", "exclusiveMinimum", true),
        Keywords.bound(schema, "maximum", "exclusiveMaximum", false),
        Keywords.number(schema, "multipleOf").map(BigDecimal::stripTrailingZeros));
  }
}
