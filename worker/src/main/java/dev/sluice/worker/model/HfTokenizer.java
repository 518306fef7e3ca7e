package dev.sluice.worker.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/** The tokenizer of a folder in the Hugging Face layout. */
final class HfTokenizer {
  static final String TOKENIZER = "tokenizer.json";
  static final String TOKENIZER_CONFIG = "tokenizer_config.json";
  static final String GENERATION_CONFIG = "generation_config.json";
  static final String CHAT_TEMPLATE = "chat_template.jinja";

  private static final int MAX_TOKENIZER_BYTES = 256 << 20;
  private static final int MAX_CONFIG_BYTES = 4 << 20;
  private static final int MAX_TEMPLATE_BYTES = 4 << 20;

  private final Path folder;
  private final JsonObject config;
  private final int vocabularySize;
  private final JsonObject tokenizerConfig;
  private final String tokenizerJson;
  private final String bos;
  private final String eos;
  private final TokenizerFacts facts;

  private HfTokenizer(Path folder, JsonObject config, int vocabularySize) {
    this.folder = folder;
    this.config = config;
    this.vocabularySize = vocabularySize;
    this.tokenizerConfig = optional(TOKENIZER_CONFIG);
    Path file = folder.resolve(TOKENIZER);
    if (!Files.exists(file)) {
      throw new ModelFileException(
          file
              + ": no such file (expected: a tokenizer in this format"
              + (Files.exists(folder.resolve("tokenizer.model"))
                  ? "; tokenizer.model is not read)"
                  : ")"));
    }
    this.tokenizerJson = SmallFile.text(file, MAX_TOKENIZER_BYTES);
    this.bos = special("bos_token");
    this.eos = special("eos_token");
    this.facts =
        TokenizerFacts.read(file, tokenizerJson, vocabularySize, new HashSet<>(List.of(bos, eos)));
    checkKnown("bos_token", bos);
    checkKnown("eos_token", eos);
  }

  /**
   * Reads it.
   *
   * @param config {@code config.json}
   * @param vocabularySize rows of the embedding; all token ids are below it
   */
  static TokenizerBundle read(Path folder, JsonObject config, int vocabularySize) {
    return new HfTokenizer(folder, config, vocabularySize).read();
  }

  private TokenizerBundle read() {
    return new TokenizerBundle(
        tokenizerJson,
        chatTemplate(),
        bos,
        eos,
        endTokens(),
        !bos.isEmpty() && tokenizerConfig.flag("add_bos_token", facts.begins(bos)));
  }

  /** A special token's text, which may stand alone or be a property of an object. */
  private String special(String key) {
    if (!tokenizerConfig.has(key)) {
      return "";
    }
    return tokenizerConfig.any(key).isObject()
        ? tokenizerConfig.object(key).text("content")
        : tokenizerConfig.text(key);
  }

  private void checkKnown(String key, String text) {
    if (!text.isEmpty() && facts.idOf(text).isEmpty()) {
      throw tokenizerConfig.unexpected(
          key, "a token of " + TOKENIZER + ", not '" + Excerpt.of(text) + "'");
    }
  }

  /** What the model's makers end generation at, and the end of a turn that templates write. */
  private List<Integer> endTokens() {
    Set<Integer> ids = new TreeSet<>();
    JsonObject generation = optional(GENERATION_CONFIG);
    JsonObject source = generation.has("eos_token_id") ? generation : config;
    if (source.has("eos_token_id")) {
      JsonNode value = source.any("eos_token_id");
      List<JsonNode> list = new ArrayList<>();
      if (value.isArray()) {
        value.forEach(list::add);
      } else {
        list.add(value);
      }
      for (JsonNode id : list) {
        if (!id.canConvertToInt()
            || !id.isIntegralNumber()
            || id.intValue() < 0
            || id.intValue() >= vocabularySize) {
          throw source.unexpected(
              "eos_token_id", "a token or a list of them, from 0 to " + (vocabularySize - 1));
        }
        ids.add(id.intValue());
      }
    }
    facts.idOf(eos).ifPresent(ids::add);
    return new ArrayList<>(ids);
  }

  private String chatTemplate() {
    Path file = folder.resolve(CHAT_TEMPLATE);
    if (Files.exists(file)) {
      return SmallFile.text(file, MAX_TEMPLATE_BYTES);
    }
    String key = "chat_template";
    JsonNode value = tokenizerConfig.any(key);
    if (!value.isArray()) {
      return tokenizerConfig.text(key, "");
    }
    // Several by name: the one that is for chats is called default.
    Optional<JsonNode> chosen = Optional.empty();
    for (JsonNode template : value) {
      if (template.path("name").asText().equals("default")) {
        chosen = Optional.of(template.path("template"));
      }
    }
    return chosen
        .filter(JsonNode::isTextual)
        .map(JsonNode::textValue)
        .orElseThrow(() -> tokenizerConfig.unexpected(key, "a template named default"));
  }

  private JsonObject optional(String name) {
    Path file = folder.resolve(name);
    return Files.exists(file) ? JsonObject.read(file, MAX_CONFIG_BYTES) : JsonObject.empty(file);
  }
}
