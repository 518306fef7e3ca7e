package dev.sluice.app.fleet;

import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.UndrainWorkerRequest;
import dev.sluice.v1.UndrainWorkerResponse;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Takes a worker back into use. */
@Command(
    name = "undrain",
    description = "Takes a drained worker back into use.",
    mixinStandardHelpOptions = true)
final class FleetUndrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "WORKER", description = "Its id or its address.")
  private String worker = "";

  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    try (SluiceClient client = server.connect()) {
      UndrainWorkerResponse response =
          FleetCall.of(() ->
              FleetServiceGrpc.newBlockingStub(client.channel())
                  .undrainWorker(UndrainWorkerRequest.newBuilder().setWorker(worker).build()));
      new FleetOutput(
              spec.commandLine().getOut(), output, new Style(Terminal.ofProcess().drawsOnOut()))
          .print(response, List.of(response.getWorker()));
    }
    return ExitCode.OK;
  }
}
