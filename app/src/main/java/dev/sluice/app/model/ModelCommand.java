package dev.sluice.app.model;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Models on this machine. */
@Command(
    name = "model",
    description = "Models on this machine: list, pull, inspect, plan.",
    mixinStandardHelpOptions = true,
    subcommands = {
      ModelListCommand.class,
      ModelPullCommand.class,
      ModelInspectCommand.class,
      ModelPlanCommand.class
    })
public final class ModelCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "no command given (expected: list, pull, inspect or plan)");
  }
}
