package dev.sluice.common.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Reads the settings of one YAML file, each with its line. Anchors, tags and merges are refused.
 */
final class YamlReader {
  private final Path file;
  private final Map<String, Schema.Member> index;
  private final List<String> problems;
  private final List<Given> givens = new ArrayList<>();
  private final Map<String, Integer> firstLines = new HashMap<>();

  /**
   * @param index every section and leaf by full key
   * @param problems gets what is wrong with single keys
   */
  YamlReader(Path file, Map<String, Schema.Member> index, List<String> problems) {
    this.file = file;
    this.index = index;
    this.problems = problems;
  }

  /**
   * @throws ConfigException when the file cannot be read or is not one YAML mapping
   */
  List<Given> read() {
    try (JsonParser parser = new YAMLFactory().createParser(Files.readString(file))) {
      JsonToken first = parser.nextToken();
      if (first == JsonToken.START_OBJECT) {
        section(parser, "");
        first = parser.nextToken();
      } else if (first == JsonToken.VALUE_NULL) {
        first = parser.nextToken();
      }
      if (first != null) {
        throw new ConfigException(at(line(parser)) + "expected one mapping of keys to values");
      }
      return givens;
    } catch (NoSuchFileException e) {
      throw new ConfigException(file + ": no such file");
    } catch (CharacterCodingException e) {
      throw new ConfigException(file + ": not text in UTF-8");
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new ConfigException(at(line) + "not YAML: " + problem(e));
    } catch (IOException e) {
      throw new ConfigException(file + ": cannot be read: " + e.getMessage());
    }
  }

  private void section(JsonParser parser, String path) throws IOException {
    while (next(parser) == JsonToken.FIELD_NAME) {
      String key = path + parser.currentName();
      int line = line(parser);
      next(parser);
      Schema.Member member = index.get(key);
      Integer firstLine = firstLines.putIfAbsent(key, line);
      if (member == null) {
        problems.add(at(line) + key + ": unknown key " + Nearest.hint(key, index.keySet()));
        parser.skipChildren();
      } else if (firstLine != null) {
        problems.add(at(line) + key + ": given twice (first on line " + firstLine + ")");
        parser.skipChildren();
      } else {
        switch (member) {
          case Schema.Leaf leaf ->
              raw(parser, leaf, line)
                  .ifPresent(raw -> givens.add(new Given(key, raw, file + ":" + line)));
          case Schema.Section inner -> enter(parser, inner, line);
        }
      }
    }
  }

  private void enter(JsonParser parser, Schema.Section section, int line) throws IOException {
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      section(parser, section.key() + ".");
    } else if (parser.currentToken() != JsonToken.VALUE_NULL) {
      List<String> keys = section.schema().members().stream().map(Schema.Member::key).toList();
      problems.add(
          at(line)
              + section.key()
              + ": a value (expected: a section with "
              + String.join(", ", keys)
              + ")");
      parser.skipChildren();
    }
  }

  private Optional<Raw> raw(JsonParser parser, Schema.Leaf leaf, int line) throws IOException {
    String expected = " (expected: " + leaf.type().expected() + ")";
    JsonToken token = parser.currentToken();
    if (token == JsonToken.VALUE_NULL) {
      return Optional.of(new Raw.Nothing());
    }
    if (isText(parser)) {
      return Optional.of(new Raw.Text(parser.getText()));
    }
    if (token != JsonToken.START_ARRAY) {
      problems.add(at(line) + leaf.key() + ": not a plain value" + expected);
      parser.skipChildren();
      return Optional.empty();
    }
    List<String> items = new ArrayList<>();
    boolean plain = true;
    while (next(parser) != JsonToken.END_ARRAY) {
      if (isText(parser)) {
        items.add(parser.getText());
      } else {
        plain = false;
        parser.skipChildren();
      }
    }
    if (!plain) {
      problems.add(at(line) + leaf.key() + ": an item is not a plain value" + expected);
      return Optional.empty();
    }
    return Optional.of(new Raw.Items(items));
  }

  /** An alias looks like a text whose value is the anchor's name. */
  private static boolean isText(JsonParser parser) throws IOException {
    return parser.currentToken().isScalarValue()
        && parser.currentToken() != JsonToken.VALUE_NULL
        && parser.currentToken() != JsonToken.VALUE_EMBEDDED_OBJECT
        && !((YAMLParser) parser).isCurrentAlias();
  }

  private JsonToken next(JsonParser parser) throws IOException {
    JsonToken token = parser.nextToken();
    if (token == null) {
      throw new ConfigException(at(line(parser)) + "ends in the middle");
    }
    return token;
  }

  private static int line(JsonParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }

  private String at(int line) {
    return line > 0 ? file + ":" + line + ": " : file + ": ";
  }

  /** The first lines of the parser's message say what; the rest repeats the file. */
  private static String problem(JsonProcessingException e) {
    @Nullable String message = e.getOriginalMessage();
    return message == null ? e.getClass().getSimpleName() : message.lines().findFirst().orElse("");
  }
}
