package dev.sluice.app.fleet;

import com.google.protobuf.util.Durations;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.ServerOptions;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.client.SluiceClient;
import dev.sluice.v1.DrainWorkerRequest;
import dev.sluice.v1.DrainWorkerResponse;
import dev.sluice.v1.FleetServiceGrpc;
import dev.sluice.v1.FleetWorker;
import dev.sluice.v1.Load;
import dev.sluice.v1.WatchFleetRequest;
import dev.sluice.v1.WatchFleetResponse;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Takes a worker out of use. */
@Command(
    name = "drain",
    description = "Lets a worker finish what it has, and gives it nothing new.",
    mixinStandardHelpOptions = true)
final class FleetDrainCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "WORKER", description = "Its id or its address.")
  private String worker = "";

  @Option(
      names = "--grace",
      paramLabel = "DURATION",
      description = "How long running requests may take. Default: as the worker is configured.")
  private @Nullable Duration grace;

  @Option(
      names = "--wait",
      description = "Returns once the worker has no request any more, or has left.")
  private boolean wait;

  @Mixin private ServerOptions server = new ServerOptions();
  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() {
    DrainWorkerRequest.Builder request = DrainWorkerRequest.newBuilder().setWorker(worker);
    if (grace != null) {
      request.setGrace(Durations.fromNanos(grace.toNanos()));
    }
    try (SluiceClient client = server.connect()) {
      DrainWorkerResponse response =
          FleetCall.of(() ->
              FleetServiceGrpc.newBlockingStub(client.channel()).drainWorker(request.build()));
      FleetWorker drained = response.getWorker();
      if (wait) {
        drained = awaitIdle(client, drained);
        response = DrainWorkerResponse.newBuilder().setWorker(drained).build();
      }
      new FleetOutput(
              spec.commandLine().getOut(), output, new Style(Terminal.ofProcess().drawsOnOut()))
          .print(response, List.of(drained));
    }
    return ExitCode.OK;
  }

  /** The worker once it has nothing to do, or as it was last seen. */
  private static FleetWorker awaitIdle(SluiceClient client, FleetWorker drained) {
    Iterator<WatchFleetResponse> changes =
        FleetServiceGrpc.newBlockingStub(client.channel())
            .watchFleet(WatchFleetRequest.getDefaultInstance());
    FleetWorker latest = drained;
    while (FleetCall.of(changes::hasNext)) {
      Optional<FleetWorker> now =
          changes.next().getWorkersList().stream()
              .filter(w -> w.getAddress().equals(drained.getAddress()))
              .findFirst();
      latest = now.orElse(latest);
      if (now.isEmpty() || isIdle(latest)) {
        return latest;
      }
    }
    return latest;
  }

  private static boolean isIdle(FleetWorker worker) {
    Load load = worker.getLoad();
    return worker.getInFlight() + load.getRunningRequests() + load.getWaitingRequests() == 0;
  }
}
