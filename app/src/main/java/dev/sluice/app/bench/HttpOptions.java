package dev.sluice.app.bench;

import static dev.sluice.app.cli.FlagChecks.atLeast;

import dev.sluice.app.cli.UsageException;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How a server is reached that speaks OpenAI's API. */
final class HttpOptions {
  private static final int LEAST_VOCABULARY = 2;

  @Option(
      names = "--base-url",
      paramLabel = "URL",
      description =
          "Measures a server with OpenAI's API instead, such as http://localhost:8080/v1.")
  private @Nullable String baseUrl;

  @Option(
      names = "--prompt-form",
      paramLabel = "FORM",
      description =
          "What is sent there: text (about one token a word), token-ids, or chat. Default: text.")
  private @Nullable String promptForm;

  @Option(
      names = "--vocab-size",
      paramLabel = "N",
      description = "Of the model there; for token-ids. Default: ${DEFAULT-VALUE}.")
  private int vocabularySize = 32_000;

  @Option(
      names = "--api-key-env",
      paramLabel = "VARIABLE",
      description = "Environment variable that holds the key for it.")
  private @Nullable String apiKeyVariable;

  /** Whether it is HTTP that is measured. */
  boolean given() {
    return baseUrl != null;
  }

  /**
   * The server.
   *
   * @param timeout of each request
   * @throws UsageException for a wrong flag
   * @throws dev.sluice.app.cli.FailedException if it must be asked for its model and does not
   *     answer
   */
  OpenAiBackend connect(RequestOptions requests, Optional<Duration> timeout) {
    PromptForm form = form();
    atLeast("--vocab-size", vocabularySize, LEAST_VOCABULARY);
    OpenAiServer server = new OpenAiServer(uri(), key(), timeout);
    try {
      String model = requests.model().isEmpty() ? server.firstModel() : requests.model();
      return new OpenAiBackend(server, model, requests, form, vocabularySize);
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /** Refuses flags that mean nothing by gRPC. */
  void checkAbsent() {
    if (promptForm != null || apiKeyVariable != null) {
      throw new UsageException(
          (promptForm == null ? "--api-key-env" : "--prompt-form")
              + " goes with --base-url (expected: both or none)");
    }
  }

  private URI uri() {
    String text = String.valueOf(baseUrl).replaceAll("/+$", "");
    try {
      URI uri = new URI(text);
      String scheme = String.valueOf(uri.getScheme());
      if ((scheme.equals("http") || scheme.equals("https")) && uri.getHost() != null) {
        return uri;
      }
    } catch (URISyntaxException _) {
      // told below
    }
    throw new UsageException(
        "--base-url: " + text + " (expected: a URL such as http://localhost:8080/v1)");
  }

  private PromptForm form() {
    for (PromptForm form : PromptForm.values()) {
      if (promptForm == null || form.toString().equals(promptForm)) {
        return form;
      }
    }
    throw new UsageException(
        "--prompt-form: " + promptForm + " (expected: text, token-ids or chat)");
  }

  private Optional<String> key() {
    if (apiKeyVariable == null) {
      return Optional.empty();
    }
    String key = System.getenv(apiKeyVariable);
    if (key == null || key.isBlank()) {
      throw new UsageException(
          "--api-key-env: " + apiKeyVariable + " is not set (expected: a variable with the key)");
    }
    return Optional.of(key);
  }
}
