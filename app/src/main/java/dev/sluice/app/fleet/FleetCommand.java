package dev.sluice.app.fleet;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The operator's view of a fleet, through its router. */
@Command(
    name = "fleet",
    description = "The workers behind a router: list, watch, drain, undrain.",
    mixinStandardHelpOptions = true,
    subcommands = {
      FleetListCommand.class,
      FleetWatchCommand.class,
      FleetDrainCommand.class,
      FleetUndrainCommand.class
    })
public final class FleetCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "no command given (expected: list, watch, drain or undrain)");
  }
}
