package dev.sluice.app.generate;

import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.TimingText;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.SluiceException;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.ChatMessage;
import dev.sluice.v1.ChatMessages;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import io.grpc.Status;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A conversation with the model: what was said so far, and the commands of the prompt.
 *
 * <p>Threading: one thread runs it; {@link #stopAnswer} may come from any other.
 */
final class Conversation {
  private static final String HELP =
      """
      /bye             leave
      /reset           forget what was said
      /system TEXT     set the system message and forget what was said; without TEXT: none
      /stats           timings after every answer, on or off
      /help            this list\
      """;

  private final SluiceClient client;
  private final GenerateRequest template;
  private final PrintWriter out;
  private final PrintWriter err;
  private final Style style;
  private final List<ChatMessage> messages = new ArrayList<>();
  private final AtomicReference<Optional<TokenStream>> answer =
      new AtomicReference<>(Optional.empty());
  private boolean stats;

  /**
   * @param template all of the request but its prompt
   */
  Conversation(
      SluiceClient client,
      GenerateRequest template,
      PrintWriter out,
      PrintWriter err,
      Style style) {
    this.client = client;
    this.template = template;
    this.out = out;
    this.err = err;
    this.style = style;
  }

  void setStats(boolean on) {
    stats = on;
  }

  /** Starts again with a system message; an empty one stands for none. */
  void setSystem(String text) {
    messages.clear();
    if (!text.isEmpty()) {
      messages.add(message("system", text));
    }
  }

  /** Reads lines until the end or /bye. */
  void run(BufferedReader input, boolean interactive) throws IOException {
    if (interactive) {
      err.println(style.dim("/bye leaves, /help lists commands"));
      err.flush();
    }
    while (true) {
      if (interactive) {
        out.print(style.bold("> "));
        out.flush();
      }
      String line = input.readLine();
      if (line == null || line.strip().equals("/bye")) {
        return;
      }
      if (line.startsWith("/")) {
        command(line.strip());
      } else if (!line.isBlank()) {
        say(line);
      }
    }
  }

  /** Ends the answer that is being written; false if there is none. */
  boolean stopAnswer() {
    Optional<TokenStream> running = answer.get();
    running.ifPresent(TokenStream::cancel);
    return running.isPresent();
  }

  private void command(String line) {
    int space = line.indexOf(' ');
    String name = space < 0 ? line : line.substring(0, space);
    switch (name) {
      case "/reset" -> messages.removeIf(m -> !m.getRole().equals("system"));
      case "/system" -> setSystem(space < 0 ? "" : line.substring(space + 1).strip());
      case "/stats" -> stats = !stats;
      case "/help" -> err.println(HELP);
      default -> err.println(name + ": unknown command (expected one of these)\n" + HELP);
    }
    err.flush();
  }

  private void say(String text) {
    messages.add(message("user", text));
    GenerateRequest.Builder request =
        template.toBuilder().setChat(ChatMessages.newBuilder().addAllMessages(messages));
    AnswerPrinter printer = new AnswerPrinter(out, style);
    StringBuilder reply = new StringBuilder();
    try (TokenStream stream = client.generate(request.build())) {
      answer.set(Optional.of(stream));
      for (GenerateResponse message : stream) {
        if (message.hasDelta()) {
          printer.delta(message.getDelta());
          reply.append(message.getDelta().getChoice() == 0 ? message.getDelta().getText() : "");
        }
      }
      printer.end();
      if (stats) {
        stream.finished().ifPresent(f -> note(TimingText.line(f.getUsage(), f.getTimings())));
      }
    } catch (SluiceException e) {
      printer.end();
      if (e.code() != Status.Code.CANCELLED) {
        note(String.valueOf(e.getMessage()));
      }
    } finally {
      answer.set(Optional.empty());
    }
    if (reply.isEmpty()) {
      // Nothing was answered, so the next line is not said in reply to this one.
      messages.removeLast();
    } else {
      messages.add(message("assistant", reply.toString()));
    }
  }

  private void note(String text) {
    err.println(style.dim(text));
    err.flush();
  }

  private static ChatMessage message(String role, String content) {
    return ChatMessage.newBuilder().setRole(role).setContent(content).build();
  }
}
