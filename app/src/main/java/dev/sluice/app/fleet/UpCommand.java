package dev.sluice.app.fleet;

import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.model.ProgressBar;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** A fleet in the foreground. */
@Command(
    name = "up",
    description = "Starts a router and workers on this machine, until Ctrl-C.",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Prints where the router is reached once every worker is ready. A worker that dies later is",
      "started again. Ctrl-C or SIGTERM: requests in flight get 5 s to end, then all stops; exit 0."
    })
public final class UpCommand implements Callable<Integer> {
  private static final Duration READY_TIMEOUT = Duration.ofMinutes(10);

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalFleetFlags flags = new LocalFleetFlags();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Where the router listens; 0: any free port. Default: ${DEFAULT-VALUE}.")
  private int port = 9090;

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    Terminal terminal = Terminal.ofProcess();
    Style style = new Style(terminal.drawsOnErr());
    try (ProgressBar progress = new ProgressBar(err, style, System::nanoTime)) {
      flags.pull(progress);
    }
    FleetDisplay display = new FleetDisplay(err, style);
    Thread drawing = Thread.ofPlatform().daemon().name("display").start(display::run);
    try (LocalFleet fleet = new LocalFleet(Distribution.ofProcess(), flags.options(port), display);
        AtExit _ = AtExit.run(() -> stop(fleet))) {
      String target = fleet.start();
      fleet.awaitReady(READY_TIMEOUT);
      display.accept(new FleetEvent.Ready(target, fleet.http()));
      if (!terminal.out()) {
        // For scripts; people read it in the display, which must be alone on their terminal.
        out.println("router " + target);
        fleet.http().ifPresent(url -> out.println("http " + url));
        out.flush();
      }
      fleet.awaitEnd();
    } finally {
      drawing.interrupt();
      drawing.join();
    }
    return ExitCode.OK;
  }

  /** On SIGINT and SIGTERM: stopping when asked is no failure. */
  private static void stop(LocalFleet fleet) {
    fleet.close();
    Runtime.getRuntime().halt(ExitCode.OK);
  }
}
