package dev.sluice.app.generate;

import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.client.SluiceClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Talks with the model, line by line. */
@Command(
    name = "chat",
    description = "Talks with the model.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {"", "Ctrl-C ends an answer, or the program where none is running."})
public final class ChatCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ServerOptions server = new ServerOptions();

  @Option(names = "--system", paramLabel = "TEXT", description = "A system message to begin with.")
  private @Nullable String system;

  @Option(names = "--stats", description = "Print timings after every answer.")
  private boolean stats;

  @Mixin private RequestOptions options = new RequestOptions();

  @Override
  public Integer call() throws IOException {
    Terminal terminal = Terminal.ofProcess();
    try (SluiceClient client = server.connect();
        AtExit _ = AtExit.run(client::close)) {
      Conversation conversation =
          new Conversation(
              client,
              options.toProto().build(),
              spec.commandLine().getOut(),
              spec.commandLine().getErr(),
              new Style(terminal.drawsOnOut()));
      conversation.setStats(stats);
      if (system != null) {
        conversation.setSystem(system);
      }
      InterruptKey.onPress(() -> {
        if (!conversation.stopAnswer()) {
          // Off the signal's thread: exiting waits for everything else.
          Thread.ofPlatform().start(() -> System.exit(130));
        }
      });
      BufferedReader input =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
      conversation.run(input, terminal.in());
    }
    return ExitCode.OK;
  }
}
