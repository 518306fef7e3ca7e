package dev.sluice.app.fleet;

import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.ListWorkersRequest;
import dev.sluice.v1.ListWorkersResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The workers, now. */
@Command(name = "list", description = "Prints the workers, now.", mixinStandardHelpOptions = true)
final class FleetListCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    try (SluiceClient client = server.connect()) {
      ListWorkersResponse response =
          FleetCall.of(() ->
              FleetServiceGrpc.newBlockingStub(client.channel())
                  .listWorkers(ListWorkersRequest.getDefaultInstance()));
      new FleetOutput(
              spec.commandLine().getOut(), output, new Style(Terminal.ofProcess().drawsOnOut()))
          .print(response, response.getWorkersList());
    }
    return ExitCode.OK;
  }
}
