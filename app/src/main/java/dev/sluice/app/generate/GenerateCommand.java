package dev.sluice.app.generate;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.FailedException;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.cli.TimingText;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.Finished;
import dev.sluice.v1.GenerateRequest;
import dev.sluice.v1.GenerateResponse;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Streams one answer to the terminal. */
@Command(
    name = "generate",
    description = "Streams the answer to a prompt.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Text comes on standard output as it is generated; with --output json every message of the",
      "stream is one line. Ctrl-C cancels the request on the server."
    })
public final class GenerateCommand implements Callable<Integer> {
  private static final JsonFormat.Printer JSON =
      JsonFormat.printer().omittingInsignificantWhitespace();

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private PromptOptions prompt = new PromptOptions();
  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private OutputFormat output = new OutputFormat();

  @Option(names = "--stats", description = "Print queue time, TTFT and ITL on standard error.")
  private boolean stats;

  @Mixin private RequestOptions options = new RequestOptions();

  @Override
  public Integer call() {
    GenerateRequest.Builder request = options.toProto();
    prompt.addTo(request, System.in);
    PrintWriter out = spec.commandLine().getOut();
    try (SluiceClient client = server.connect();
        AtExit _ = AtExit.run(client::close);
        TokenStream stream = client.generate(request.build())) {
      boolean read = output.json() ? printMessages(stream, out) : printText(stream, out);
      if (!read) {
        return ExitCode.SOFTWARE;
      }
      Finished finished =
          stream
              .finished()
              .orElseThrow(() -> new FailedException("the stream ended without `finished`"));
      if (stats) {
        PrintWriter err = spec.commandLine().getErr();
        err.println(TimingText.line(finished.getUsage(), finished.getTimings()));
        err.flush();
      }
      return ExitCode.OK;
    }
  }

  /** Returns false if nobody reads on, such as {@code head}: the rest need not be generated. */
  private static boolean printText(TokenStream stream, PrintWriter out) {
    AnswerPrinter printer = new AnswerPrinter(out, new Style(Terminal.ofProcess().drawsOnOut()));
    try {
      for (GenerateResponse message : stream) {
        if (message.hasDelta()) {
          printer.delta(message.getDelta());
        } else if (message.hasChoiceFinished()) {
          printer.finished(message.getChoiceFinished());
        }
        if (out.checkError()) {
          return false;
        }
      }
      return true;
    } finally {
      printer.end();
    }
  }

  private static boolean printMessages(TokenStream stream, PrintWriter out) {
    for (GenerateResponse message : stream) {
      try {
        out.println(JSON.print(message));
      } catch (InvalidProtocolBufferException e) {
        throw new IllegalStateException(e);
      }
      if (out.checkError()) {
        return false;
      }
    }
    return true;
  }
}
