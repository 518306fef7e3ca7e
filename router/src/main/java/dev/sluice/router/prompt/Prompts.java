package dev.sluice.router.prompt;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.tokenizer.EncodedText;
import dev.sluice.common.tokenizer.TokenizerException;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.fleet.WorkerStatus;
import dev.sluice.router.fleet.WorkerView;
import dev.sluice.router.index.BlockHashes;
import dev.sluice.router.prompt.PromptMemory.Remembered;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.Model;
import dev.sluice.v1.TokenIds;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes tokens and block names of prompts, as the workers of the model would. What cannot be done
 * here, and what is wrong with a prompt, is left to a worker: it tells all faults at once.
 *
 * <p>Threading: any thread. Takes milliseconds for a long prompt that was not seen before, so event
 * loops must not call it.
 */
public final class Prompts {
  private static final Logger log = LoggerFactory.getLogger(Prompts.class);

  /** A text with more characters per token of context does not fit, and is not worth the work. */
  private static final int MOST_CHARACTERS_PER_TOKEN = 64;

  /** Longer names of sessions and salts are refused by workers. */
  private static final int LONGEST_NAME = 128;

  /** As much of a text without a conversation as must be equal. */
  private static final int NAME_CHARACTERS = 256;

  private final PromptOptions options;
  private final Fleet fleet;
  private final Tokenizers tokenizers;
  private final PromptMemory memory;

  public Prompts(PromptOptions options, Fleet fleet, Tokenizers tokenizers) {
    this.options = options;
    this.fleet = fleet;
    this.tokenizers = tokenizers;
    this.memory = new PromptMemory(options.memory().bytes());
  }

  /** The prompt's tokens; empty if they cannot be had here. */
  public Optional<TokenizedPrompt> tokenize(GenerateRequest request) {
    Optional<Served> found = served(request.getModel()).filter(s -> s.model.getBlockSize() > 0);
    if (found.isEmpty()
        || request.getSessionId().length() > LONGEST_NAME
        || request.getCacheSalt().length() > LONGEST_NAME) {
      return Optional.empty();
    }
    Served served = found.get();
    try {
      return switch (request.getPromptCase()) {
        case TOKEN_IDS -> Optional.of(given(request, served.model));
        case TEXT -> encode(request, served, request.getText(), false);
        case CHAT -> chat(request, served);
        case PROMPT_NOT_SET -> Optional.empty();
      };
    } catch (RefusalException e) {
      return Optional.empty(); // the worker will say the same, and what else is wrong
    } catch (TokenizerException | IllegalStateException e) {
      log.debug("a prompt is left to its worker", e); // the latter: its tokenizer was let go of
      return Optional.empty();
    }
  }

  private static TokenizedPrompt given(GenerateRequest request, Model model) {
    TokenIds ids = request.getTokenIds();
    int[] tokens = new int[ids.getIdsCount()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = ids.getIds(i);
    }
    return new TokenizedPrompt(
        tokens,
        BlockHashes.of(tokens, model.getBlockSize(), request.getCacheSalt()),
        Optional.empty());
  }

  private Optional<TokenizedPrompt> chat(GenerateRequest request, Served served) {
    ChatMessages chat = request.getChat();
    if (served.lent.isEmpty() || !wellFormed(chat)) {
      return Optional.empty();
    }
    return encode(request, served, served.lent.get().template().render(chat), true);
  }

  /** Whether a worker would let a template see it. */
  private static boolean wellFormed(ChatMessages chat) {
    return chat.getMessagesCount() > 0
        && chat.getMessagesList().stream().noneMatch(m -> m.getRole().isEmpty())
        && !(chat.getContinueFinalMessage() && chat.getAddGenerationPrompt());
  }

  private Optional<TokenizedPrompt> encode(
      GenerateRequest request, Served served, String text, boolean rendered) {
    Model model = served.model;
    if (served.lent.isEmpty()
        || text.isEmpty()
        || text.length() > (long) MOST_CHARACTERS_PER_TOKEN * model.getContextLength()) {
      return Optional.empty();
    }
    Lent lent = served.lent.get();
    String salt = request.getCacheSalt();
    String name =
        request.getSessionId().isEmpty()
            ? text.substring(0, Math.min(NAME_CHARACTERS, text.length()))
            : request.getSessionId();
    PromptMemory.Key key =
        new PromptMemory.Key(lent.fingerprint(), model.getBlockSize(), rendered, salt, name);
    Optional<Remembered> before = memory.find(key);
    EncodedText encoded = lent.text().encode(text, rendered, before.map(Remembered::text));
    int[] tokens = encoded.tokens();
    if (tokens.length == 0) {
      return Optional.empty();
    }
    BlockHashes blocks =
        before
            .map(r ->
                BlockHashes.of(
                    tokens,
                    model.getBlockSize(),
                    salt,
                    r.blocks(),
                    equalTokens(r.text().tokens(), tokens)))
            .orElseGet(() -> BlockHashes.of(tokens, model.getBlockSize(), salt));
    memory.remember(key, new Remembered(encoded, blocks));
    return Optional.of(new TokenizedPrompt(tokens, blocks, Optional.of(lent.fingerprint())));
  }

  private static int equalTokens(int[] one, int[] other) {
    int at = Arrays.mismatch(one, other);
    return at < 0 ? one.length : at;
  }

  private Optional<Lent> lent(Model model) {
    return options.tokenize() ? tokenizers.get(model.getTokenizerFingerprint()) : Optional.empty();
  }

  /** A model as a worker has it, and the worker's tokenizer, if it is here. */
  private record Served(Model model, Optional<Lent> lent) {}

  /** The model of this name, of a worker whose tokenizer is here, if there is one. */
  private Optional<Served> served(String name) {
    Optional<Served> found = Optional.empty();
    for (WorkerView worker : fleet.snapshot().workers()) {
      if (worker.answersTo(name)) {
        boolean ready = worker.status() == WorkerStatus.READY;
        Model model = worker.report().orElseThrow().model();
        Served served = new Served(model, lent(model));
        if (ready && served.lent.isPresent()) {
          return Optional.of(served);
        }
        if (ready || found.isEmpty()) {
          found = Optional.of(served);
        }
      }
    }
    return found;
  }
}
