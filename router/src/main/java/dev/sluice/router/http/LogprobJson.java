package dev.sluice.router.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.sluice.router.edge.TokenTexts;
import dev.sluice.v1.PromptLogprobs;
import dev.sluice.v1.TokenLogprob;
import dev.sluice.v1.TopLogprob;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Log-probabilities of one choice, in the form of its endpoint.
 *
 * <p>Threading: the event loop of the exchange.
 */
final class LogprobJson {
  /** JSON has no infinity; vLLM's number for what cannot be. */
  private static final double LEAST = -9999;

  private final Reply reply;
  private final List<TokenLogprob> ofPrompt = new ArrayList<>();
  private int offset; // characters of the text before the next token

  LogprobJson(Reply reply) {
    this.reply = reply;
  }

  void addPrompt(PromptLogprobs part) {
    ofPrompt.addAll(part.getTokensList());
  }

  void addPrompt(List<TokenLogprob> tokens) {
    ofPrompt.addAll(tokens);
  }

  /** Those of a part of the output. */
  void write(JsonGenerator out, List<TokenLogprob> tokens) throws IOException {
    field(out, Optional.empty(), tokens);
  }

  /** Those of the prompt, if it is echoed. */
  void writePrompt(JsonGenerator out, Reply.Prompt prompt) throws IOException {
    if (reply.echo()) {
      field(out, Optional.of(prompt), List.of());
    } else {
      out.writeNullField("logprobs");
    }
  }

  /** Those of a whole choice, with its prompt if that is echoed. */
  void writeAll(JsonGenerator out, Reply.Prompt prompt, List<TokenLogprob> tokens)
      throws IOException {
    field(out, reply.echo() ? Optional.of(prompt) : Optional.empty(), tokens);
  }

  private void field(JsonGenerator out, Optional<Reply.Prompt> echoed, List<TokenLogprob> tokens)
      throws IOException {
    if (reply.topLogprobs().isEmpty() || reply.texts().isEmpty()) {
      out.writeNullField("logprobs");
      return;
    }
    out.writeObjectFieldStart("logprobs");
    switch (reply.shape()) {
      case CHAT -> chat(out, tokens, reply.texts().get());
      case TEXT -> text(out, echoed, tokens, reply.texts().get());
    }
    out.writeEndObject();
  }

  private static void chat(JsonGenerator out, List<TokenLogprob> tokens, TokenTexts texts)
      throws IOException {
    out.writeArrayFieldStart("content");
    for (TokenLogprob token : tokens) {
      out.writeStartObject();
      named(out, token.getTokenId(), token.getLogprob(), texts);
      out.writeArrayFieldStart("top_logprobs");
      for (TopLogprob top : token.getTopList()) {
        out.writeStartObject();
        named(out, top.getTokenId(), top.getLogprob(), texts);
        out.writeEndObject();
      }
      out.writeEndArray();
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private static void named(JsonGenerator out, int token, float logprob, TokenTexts texts)
      throws IOException {
    out.writeStringField("token", texts.text(token));
    out.writeNumberField("logprob", finite(logprob));
    out.writeArrayFieldStart("bytes");
    for (byte b : texts.bytes(token)) {
      out.writeNumber(Byte.toUnsignedInt(b));
    }
    out.writeEndArray();
  }

  /** Lists side by side; a prompt's first token has no probability. */
  private void text(
      JsonGenerator out, Optional<Reply.Prompt> echoed, List<TokenLogprob> tokens, TokenTexts texts)
      throws IOException {
    int[] first = {};
    List<TokenLogprob> all = new ArrayList<>();
    if (echoed.isPresent()) {
      first = echoed.get().tokenIds().stream().limit(1).mapToInt(Integer::intValue).toArray();
      all.addAll(ofPrompt);
    }
    all.addAll(tokens);
    int[] ids =
        IntStream.concat(Arrays.stream(first), all.stream().mapToInt(TokenLogprob::getTokenId))
            .toArray();
    out.writeArrayFieldStart("tokens");
    for (int id : ids) {
      out.writeString(texts.text(id));
    }
    out.writeEndArray();
    out.writeArrayFieldStart("text_offset");
    for (int id : ids) {
      out.writeNumber(offset);
      String text = texts.text(id);
      offset += text.codePointCount(0, text.length());
    }
    out.writeEndArray();
    out.writeArrayFieldStart("token_logprobs");
    for (int _ : first) {
      out.writeNull();
    }
    for (TokenLogprob token : all) {
      out.writeNumber(finite(token.getLogprob()));
    }
    out.writeEndArray();
    out.writeArrayFieldStart("top_logprobs");
    for (int _ : first) {
      out.writeNull();
    }
    for (TokenLogprob token : all) {
      top(out, token, texts);
    }
    out.writeEndArray();
  }

  /** The likely ones by their texts, and the token itself if it is not among them. */
  private static void top(JsonGenerator out, TokenLogprob token, TokenTexts texts)
      throws IOException {
    out.writeStartObject();
    boolean among = false;
    for (TopLogprob top : token.getTopList()) {
      among |= top.getTokenId() == token.getTokenId();
      out.writeNumberField(texts.text(top.getTokenId()), finite(top.getLogprob()));
    }
    if (!among) {
      out.writeNumberField(texts.text(token.getTokenId()), finite(token.getLogprob()));
    }
    out.writeEndObject();
  }

  /** vLLM's {@code prompt_logprobs}: for each token of the prompt, those that were likely there. */
  void promptTable(JsonGenerator out, List<TokenLogprob> tokens) throws IOException {
    out.writeArrayFieldStart("prompt_logprobs");
    out.writeNull(); // the first token
    for (TokenLogprob token : tokens) {
      out.writeStartObject();
      entry(out, token.getTokenId(), token.getLogprob(), token.getRank());
      int rank = 0;
      for (TopLogprob top : token.getTopList()) {
        rank++;
        if (top.getTokenId() != token.getTokenId()) {
          entry(out, top.getTokenId(), top.getLogprob(), rank);
        }
      }
      out.writeEndObject();
    }
    out.writeEndArray();
  }

  private void entry(JsonGenerator out, int token, float logprob, int rank) throws IOException {
    out.writeObjectFieldStart(Integer.toString(token));
    out.writeNumberField("logprob", finite(logprob));
    out.writeNumberField("rank", rank);
    if (reply.texts().isPresent()) {
      out.writeStringField("decoded_token", reply.texts().get().text(token));
    }
    out.writeEndObject();
  }

  private static double finite(float logprob) {
    return Math.max(LEAST, (double) logprob);
  }
}
