package dev.sluice.app.fleet;

import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.WatchFleetRequest;
import dev.sluice.v1.WatchFleetResponse;
import java.io.PrintWriter;
import java.util.Iterator;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The workers, as they change. */
@Command(
    name = "watch",
    description = "Prints the workers whenever one changes, until Ctrl-C.",
    mixinStandardHelpOptions = true)
final class FleetWatchCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    Style style = new Style(Terminal.ofProcess().drawsOnOut() && !output.json());
    FleetOutput printer = new FleetOutput(out, output, style);
    try (SluiceClient client = server.connect();
        AtExit _ = AtExit.run(client::close)) {
      Iterator<WatchFleetResponse> changes =
          FleetServiceGrpc.newBlockingStub(client.channel())
              .watchFleet(WatchFleetRequest.getDefaultInstance());
      int lines = 0;
      while (FleetCall.of(changes::hasNext) && !out.checkError()) {
        WatchFleetResponse change = changes.next();
        out.print(style.redraw(lines));
        lines = printer.print(change, change.getWorkersList());
      }
    }
    return ExitCode.OK;
  }
}
