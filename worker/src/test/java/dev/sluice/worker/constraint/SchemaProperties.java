package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.common.error.RefusalException;
import java.math.BigDecimal;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Random schemas, their random outputs, and an independent validator. */
class SchemaProperties {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String[] NAMES = {"a", "b", "a\"b", "\u00E9", "long name", "x/y~"};
  private static final String[] PATTERNS = {
    "^[a-z]{1,4}$", "\\d+", "^(ab|c\"d)*$", "^\\S\\s\\S$", "[\u00E0-\u20AC]", "^a|b$", "^.{2}$"
  };

  @Property(tries = 400)
  void whatIsGeneratedIsValid(@ForAll Random random) {
    ObjectNode schema = schema(random, 3);
    Constraint constraint;
    try {
      constraint = TestVocabulary.compile(new ConstraintSource.JsonSchema(schema.toString()));
    } catch (RefusalException e) {
      assertThat(e.getMessage()).startsWith("constraint.json_schema: ");
      return;
    }
    for (int i = 0; i < 5; i++) {
      TestVocabulary.Output output = TestVocabulary.generate(constraint, random, 300);
      if (output.accepted) {
        assertThat(SchemaGenerations.judge(schema.toString(), output.text()))
            .as("%s against %s", output.text(), schema)
            .isEmpty();
      }
    }
  }

  /** Anything at all compiles or is refused by name. */
  @Property(tries = 1000)
  void brokenSchemasAreRefused(@ForAll Random random) throws Exception {
    String text = schema(random, 3).toString();
    StringBuilder broken = new StringBuilder(text);
    for (int i = 0; i < 3; i++) {
      int at = random.nextInt(broken.length());
      switch (random.nextInt(3)) {
        case 0 -> broken.deleteCharAt(at);
        case 1 -> broken.insert(at, text.charAt(random.nextInt(text.length())));
        default -> broken.setCharAt(at, text.charAt(random.nextInt(text.length())));
      }
      if (broken.isEmpty()) {
        return;
      }
    }
    try {
      TestVocabulary.compile(new ConstraintSource.JsonSchema(broken.toString()));
      assertThat(new ObjectMapper().readTree(broken.toString())).isNotNull();
    } catch (RefusalException e) {
      assertThat(e.getMessage()).startsWith("constraint.json_schema: ");
    }
  }

  private static ObjectNode schema(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 10 : 6)) {
      case 0 -> typed("boolean");
      case 1 -> number(random, "integer");
      case 2 -> number(random, "number");
      case 3 -> string(random);
      case 4 -> constants(random);
      case 5 -> typed("null");
      case 6 -> array(random, depth);
      case 7 -> combined(random, depth);
      default -> object(random, depth);
    };
  }

  private static ObjectNode typed(String type) {
    return JSON.objectNode().put("type", type);
  }

  private static ObjectNode number(Random random, String type) {
    ObjectNode schema = typed(type);
    BigDecimal low = BigDecimal.valueOf(random.nextInt(4000) - 2000, random.nextInt(4));
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
    }
    if (random.nextBoolean()) {
      BigDecimal high = low.add(BigDecimal.valueOf(random.nextInt(3000), random.nextInt(4)));
      schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", high);
    }
    if (random.nextInt(4) == 0) {
      schema.put(
          "multipleOf", new BigDecimal(new String[] {"7", "0.1", "0.01", "12"}[random.nextInt(4)]));
    }
    return schema;
  }

  private static ObjectNode string(Random random) {
    ObjectNode schema = typed("string");
    if (random.nextBoolean()) {
      schema.put("minLength", random.nextInt(4));
    }
    if (random.nextBoolean()) {
      schema.put("maxLength", 2 + random.nextInt(60));
    }
    if (random.nextInt(3) == 0) {
      schema.put("pattern", PATTERNS[random.nextInt(PATTERNS.length)]);
    }
    return schema;
  }

  private static ObjectNode constants(Random random) {
    ObjectNode schema = JSON.objectNode();
    ArrayNode values = schema.putArray("enum");
    values.add(random.nextInt(20)).add(NAMES[random.nextInt(NAMES.length)]);
    if (random.nextBoolean()) {
      values.addNull().addObject().put("k", random.nextBoolean());
    }
    if (random.nextInt(4) == 0) {
      schema.put("type", "string");
    }
    return schema;
  }

  private static ObjectNode array(Random random, int depth) {
    ObjectNode schema = typed("array");
    schema.put("maxItems", 1 + random.nextInt(3));
    if (random.nextBoolean()) {
      schema.put("minItems", random.nextInt(3));
    }
    schema.set("items", schema(random, depth - 1));
    return schema;
  }

  private static ObjectNode object(Random random, int depth) {
    ObjectNode schema = typed("object");
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = schema.putArray("required");
    for (String name : NAMES) {
      if (random.nextInt(3) == 0) {
        properties.set(name, schema(random, depth - 1));
        if (random.nextBoolean()) {
          required.add(name);
        }
      }
    }
    switch (random.nextInt(4)) {
      case 0 -> schema.put("additionalProperties", false);
      case 1 -> schema.set("additionalProperties", schema(random, 0));
      default -> {}
    }
    return schema;
  }

  private static ObjectNode combined(Random random, int depth) {
    ObjectNode schema = JSON.objectNode();
    String keyword = new String[] {"anyOf", "oneOf", "allOf"}[random.nextInt(3)];
    ArrayNode options = schema.putArray(keyword);
    for (int i = 0; i <= random.nextInt(3); i++) {
      options.add(keyword.equals("allOf") ? object(random, 1) : schema(random, depth - 1));
    }
    if (random.nextInt(3) == 0) {
      schema.put("type", "object");
    }
    return schema;
  }
}
