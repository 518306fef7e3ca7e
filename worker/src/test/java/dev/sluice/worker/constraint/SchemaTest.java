package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.sluice.common.error.RefusalException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** JSON Schemas, with an independent validator as the judge. */
class SchemaTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  static List<String> schemas() {
    return List.of(
        "{\"type\":\"boolean\"}",
        "{\"type\":[\"null\",\"integer\"]}",
        "{\"type\":\"integer\",\"minimum\":-17,\"maximum\":123}",
        "{\"type\":\"integer\",\"exclusiveMinimum\":99,\"maximum\":1000,\"multipleOf\":7}",
        "{\"type\":\"integer\",\"minimum\":-1000,\"exclusiveMaximum\":-9}",
        "{\"type\":\"integer\"}",
        "{\"type\":\"number\"}",
        "{\"type\":\"number\",\"minimum\":0,\"maximum\":1}",
        "{\"type\":\"number\",\"exclusiveMinimum\":-0.5,\"exclusiveMaximum\":3.25}",
        "{\"type\":\"number\",\"minimum\":10.05,\"maximum\":10.5,\"multipleOf\":0.01}",
        "{\"type\":\"number\",\"multipleOf\":3,\"minimum\":-40,\"maximum\":40}",
        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":5}",
        "{\"type\":\"string\",\"maxLength\":50}",
        "{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}-\\\\d{3,5}$\"}",
        "{\"type\":\"string\",\"pattern\":\"a\\\"\\\\\\\\b\",\"maxLength\":9}",
        "{\"type\":\"string\",\"pattern\":\"^\\\\S+\\\\s[^\\\\s]$\",\"minLength\":5,\"maxLength\":8}",
        "{\"type\":\"string\",\"format\":\"date\"}",
        "{\"type\":\"string\",\"format\":\"date-time\"}",
        "{\"type\":\"string\",\"format\":\"time\"}",
        "{\"type\":\"string\",\"format\":\"duration\"}",
        "{\"type\":\"string\",\"format\":\"email\"}",
        "{\"type\":\"string\",\"format\":\"hostname\"}",
        "{\"type\":\"string\",\"format\":\"ipv4\"}",
        "{\"type\":\"string\",\"format\":\"ipv6\"}",
        "{\"type\":\"string\",\"format\":\"uuid\"}",
        "{\"type\":\"string\",\"format\":\"uri\"}",
        "{\"enum\":[\"red\",\"gr\\\"een\",3,1.5,null,{\"a\":[1,\"b\"]},\"\\u20ac\"]}",
        "{\"const\":{\"k\":[true,null]}}",
        "{\"type\":\"string\",\"enum\":[\"a\",1,\"b\"]}",
        """
        {"type":"object","properties":{"name":{"type":"string","maxLength":8},
         "age":{"type":"integer","minimum":0,"maximum":150},"on":{"type":"boolean"}},
         "required":["name","age"],"additionalProperties":false}
        """,
        """
        {"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"},
         "c":{"type":"null"},"d":false},"required":["b"]}
        """,
        """
        {"type":"object","properties":{"id":{"type":"integer","maximum":9,"minimum":0}},
         "additionalProperties":{"type":"boolean"},"maxProperties":4}
        """,
        "{\"type\":\"object\",\"additionalProperties\":{\"enum\":[1,2]},\"maxProperties\":3}",
        "{\"type\":\"object\",\"required\":[\"x\"],\"properties\":{\"y\":{\"const\":1}}}",
        """
        {"type":"array","minItems":2,"maxItems":4,
         "items":{"type":"array","maxItems":2,"items":{"enum":["x","y"]}}}
        """,
        "{\"type\":\"array\",\"items\":false}",
        "{\"type\":\"array\",\"maxItems\":0}",
        """
        {"anyOf":[{"type":"object","properties":{"kind":{"const":"a"},"n":{"type":"integer",
         "maximum":5,"minimum":0}},"required":["kind","n"]},
         {"type":"object","properties":{"kind":{"const":"b"},"s":{"type":"string","maxLength":3}},
         "required":["kind","s"]},{"type":"null"}]}
        """,
        """
        {"type":"object","properties":{"kind":{"enum":["a","b"]}},"required":["kind"],
         "oneOf":[{"properties":{"kind":{"const":"a"},"x":{"type":"null"}},"required":["x"]},
         {"properties":{"kind":{"const":"b"},"y":{"type":"boolean"}},"required":["y"]}]}
        """,
        """
        {"$ref":"#/$defs/tree","$defs":{"tree":{"type":"object","properties":{
         "v":{"type":"integer","minimum":0,"maximum":9},
         "kids":{"type":"array","maxItems":2,"items":{"$ref":"#/$defs/tree"}}},
         "required":["v"]}}}
        """,
        """
        {"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},
         "required":["next"]}
        """,
        """
        {"allOf":[{"$ref":"#/definitions/base"},{"properties":{"b":{"type":"integer","minimum":3}},
         "required":["b"]}],"definitions":{"base":{"type":"object","properties":{
         "a":{"type":"boolean"},"b":{"type":"integer","maximum":5}},"required":["a"]}}}
        """,
        "{\"minimum\":5,\"type\":\"integer\",\"allOf\":[{\"maximum\":8},{\"minimum\":7}]}",
        "{\"properties\":{\"a\":{\"minLength\":1,\"maxLength\":2}},\"required\":[\"a\"]}",
        "true",
        "{\"type\":\"object\"}",
        "{}");
  }

  /** Every output that ends is a JSON text that the validator accepts. */
  @ParameterizedTest
  @MethodSource("schemas")
  void whatIsGeneratedIsValid(String schema) throws Exception {
    JsonSchema judge = judge(schema);
    Constraint constraint = TestVocabulary.compile(new ConstraintSource.JsonSchema(schema));
    int ended = 0;
    for (int seed = 0; seed < 40; seed++) {
      TestVocabulary.Output output = TestVocabulary.generate(constraint, new Random(seed), 400);
      if (output.accepted) {
        ended++;
        JsonNode value = JSON.readTree(output.text());
        assertThat(judge.validate(value)).as("%s against %s", output.text(), schema).isEmpty();
      }
    }
    assertThat(ended).as("outputs that ended").isGreaterThan(5);
  }

  private static JsonSchema judge(String schema) throws JsonProcessingException {
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
        .getSchema(
            JSON.readTree(schema),
            com.networknt.schema.SchemaValidatorsConfig.builder()
                .formatAssertionsEnabled(true)
                .build());
  }

  @Test
  void usualTextsAreAccepted() {
    String person =
        """
        {"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer",
        "minimum":0,"maximum":150},"tags":{"type":"array","items":{"type":"string"}}},
        "required":["name"]}
        """;
    assertAccepts(
        person,
        "{\"name\":\"Ann\"}",
        "{\"name\": \"Ann \\u00e9 \\n \u20AC\", \"age\": 42}",
        "{\n  \"name\": \"x\",\n  \"age\": 150,\n  \"tags\": [\n    \"a\",\n    \"b\"\n  ]\n}",
        "{\"name\":\"\",\"tags\":[]}");
    assertRejects(
        person,
        "{}",
        "{\"age\":42}",
        "{\"name\":\"Ann\",\"age\":151}",
        "{\"name\":\"Ann\",\"age\":-1}",
        "{\"name\":\"Ann\",\"age\":01}",
        "{\"name\":\"Ann\",\"other\":1}",
        "{\"name\":\"\t\"}",
        "{\"name\":\"\\ud800\"}",
        "{\"name\":1}",
        " {\"name\":\"Ann\"}",
        "{\"name\":\"Ann\"} ",
        "{\"name\":\"Ann\",}");
    String number = "{\"type\":\"number\",\"minimum\":-2.5,\"exclusiveMaximum\":10}";
    assertAccepts(number, "0", "-2.5", "-2.50", "9.999", "0.0000001", "7");
    assertRejects(number, "-2.51", "10", "10.0", "-3", "-0", "1e3", "00", "1.", ".5", "-", "100");
    assertAccepts("{\"type\":\"number\"}", "1e10", "-12.25E-3", "0.1", "123456789012345");
    assertAccepts(
        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
        "\"ab\"",
        "\"\u20AC\uD83D\uDE00\\n\"");
    assertRejects(
        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}", "\"a\"", "\"abcd\"", "\"\"");
    assertAccepts("{\"type\":\"string\",\"pattern\":\"b+\"}", "\"abba\"", "\"b\"");
    assertRejects("{\"type\":\"string\",\"pattern\":\"b+\"}", "\"aa\"", "\"\"");
  }

  private static void assertAccepts(String schema, String... texts) {
    Constraint constraint = TestVocabulary.compile(new ConstraintSource.JsonSchema(schema));
    for (String text : texts) {
      assertThat(TestVocabulary.accepts(constraint, text)).as(text).isTrue();
    }
  }

  private static void assertRejects(String schema, String... texts) {
    Constraint constraint = TestVocabulary.compile(new ConstraintSource.JsonSchema(schema));
    for (String text : texts) {
      assertThat(TestVocabulary.accepts(constraint, text)).as(text).isFalse();
    }
  }

  @Test
  void whatIsNotSupportedIsRefusedByNameAndPlace() {
    assertRefused("{\"not\":{}}", "#: not: not supported");
    assertRefused(
        "{\"properties\":{\"a\":{\"uniqueItems\":true}}}",
        "#/properties/a: uniqueItems: not supported");
    assertRefused("{\"type\":\"array\",\"prefixItems\":[{}]}", "prefixItems: not supported");
    assertRefused("{\"type\":\"object\",\"patternProperties\":{}}", "patternProperties");
    assertRefused("{\"if\":{}}", "if: not supported");
    assertRefused("{\"type\":\"strin\"}", "type: \"strin\"");
    assertRefused("{\"type\":\"string\",\"format\":\"color\"}", "format: \"color\"");
    assertRefused("{\"type\":\"string\",\"minLength\":-1}", "minLength: -1");
    assertRefused("{\"type\":\"string\",\"minLength\":3,\"maxLength\":2}", "minLength: 3");
    assertRefused("{\"type\":\"string\",\"pattern\":\"(?=a)\"}", "lookahead");
    assertRefused("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", "nothing can match");
    assertRefused("{\"type\":\"number\",\"multipleOf\":0.3}", "multipleOf");
    assertRefused("{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "oneOf");
    assertRefused("{\"$ref\":\"#/$defs/no\"}", "$ref");
    assertRefused("{\"$ref\":\"http://example.com\"}", "$ref");
    assertRefused("{\"$ref\":\"#\"}", "leads to itself");
    assertRefused("{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}", "leads to itself");
    assertRefused(
        "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]}",
        "recursion that can end");
    assertRefused("{", "not valid JSON");
    assertRefused("[]", "not a schema");
    assertRefused("{} {}", "not valid JSON");
    assertRefused("{\"type\":\"null\",\"type\":\"null\"}", "not valid JSON");
    assertRefused("false", "nothing can match");
    assertRefused("{\"enum\":[]}", "nothing can match");
  }

  private static void assertRefused(String schema, String reason) {
    assertThatExceptionOfType(RefusalException.class)
        .as(schema)
        .isThrownBy(() -> TestVocabulary.compile(new ConstraintSource.JsonSchema(schema)))
        .satisfies(e -> assertThat(e.getMessage()).startsWith("constraint.json_schema: "))
        .satisfies(e -> assertThat(e.getMessage()).contains(reason));
  }
}
