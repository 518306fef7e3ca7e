package dev.sluice.common.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What Python's jinja2 renders, construct by construct and for whole chat templates. */
class TemplateCasesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-05T07:08:09Z"), ZoneOffset.UTC);

  @TestFactory
  List<DynamicTest> constructs() throws IOException {
    List<DynamicTest> tests = cases("jinja_cases.json");
    assertThat(tests).hasSize(70);
    return tests;
  }

  @TestFactory
  List<DynamicTest> moreConstructs() throws IOException {
    return cases("more_cases.json");
  }

  @TestFactory
  List<DynamicTest> chatTemplates() throws IOException {
    JsonNode root = read("chat_templates.json");
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode test : root.get("cases")) {
      JsonNode template = root.get("templates").get(test.get("template").asText());
      JsonNode context = root.get("conversations").get(test.get("conversation").asText());
      tests.add(test(test.get("name").asText(), template, context, test.get("expected")));
    }
    return tests;
  }

  private static List<DynamicTest> cases(String file) throws IOException {
    JsonNode root = read(file);
    List<DynamicTest> tests = new ArrayList<>();
    for (JsonNode test : root.get("cases")) {
      String name = test.has("name") ? test.get("name").asText() : test.get("template").asText();
      tests.add(test(name, test.get("template"), root.get("context"), test.get("expected")));
    }
    return tests;
  }

  /** An expected value that begins with {@code !!} is an error: its type and message, or any. */
  private static DynamicTest test(
      String name, JsonNode template, JsonNode context, JsonNode expected) {
    Map<String, Object> variables = JSON.convertValue(context, new TypeReference<>() {});
    String wanted = expected.asText();
    return DynamicTest.dynamicTest(
        name,
        () -> {
          if (wanted.startsWith("!!")) {
            assertThatThrownBy(
                    () -> ChatTemplate.compile(template.asText(), CLOCK).render(variables))
                .isInstanceOf(TemplateException.class)
                .hasMessageEndingWith(wanted.replaceFirst("!!(\\w+: )?", ""));
          } else {
            assertThat(ChatTemplate.compile(template.asText(), CLOCK).render(variables))
                .isEqualTo(wanted);
          }
        });
  }

  private static JsonNode read(String file) throws IOException {
    try (InputStream in = TemplateCasesTest.class.getResourceAsStream(file)) {
      return JSON.readTree(Objects.requireNonNull(in, file));
    }
  }
}
