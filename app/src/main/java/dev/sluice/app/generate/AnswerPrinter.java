package dev.sluice.app.generate;

import dev.sluice.app.cli.Style;
import dev.sluice.v1.ChoiceFinished;
import dev.sluice.v1.Delta;
import java.io.PrintWriter;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes the text of a stream as it comes. Of several choices the first is streamed and the others
 * follow when they are complete, each under a heading.
 *
 * <p>Threading: for one thread.
 */
final class AnswerPrinter {
  private final PrintWriter out;
  private final Style style;
  private final Map<Integer, StringBuilder> others = new TreeMap<>();
  private boolean endsLine = true;

  AnswerPrinter(PrintWriter out, Style style) {
    this.out = out;
    this.style = style;
  }

  void delta(Delta delta) {
    if (delta.getChoice() == 0) {
      print(delta.getText());
    } else {
      others.computeIfAbsent(delta.getChoice(), _ -> new StringBuilder()).append(delta.getText());
    }
  }

  void finished(ChoiceFinished choice) {
    if (choice.getChoice() > 0) {
      others.computeIfAbsent(choice.getChoice(), _ -> new StringBuilder());
    }
  }

  /** Ends the line, and prints the other choices. */
  void end() {
    endLine();
    others.forEach((choice, text) -> {
      print(style.dim("--- choice " + choice + " ---") + "\n");
      print(text.toString());
      endLine();
    });
    out.flush();
  }

  private void endLine() {
    if (!endsLine) {
      print("\n");
    }
  }

  private void print(String text) {
    if (!text.isEmpty()) {
      out.print(text);
      out.flush();
      endsLine = text.endsWith("\n");
    }
  }
}
