package dev.sluice.app.model;

import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.worker.model.ModelStore;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fetches a model. */
@Command(
    name = "pull",
    description = "Fetches a model, and prints where it is.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "A pull that was interrupted goes on where it stopped; a model that is here is checked, and",
      "fetched again if it is damaged. SLUICE_HOME names another folder than ~/.cache/sluice."
    })
final class ModelPullCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "MODEL", description = "A name from `sluice model list`.")
  private String model = "";

  @Override
  public Integer call() {
    Path file;
    try (ProgressBar progress =
        new ProgressBar(
            spec.commandLine().getErr(),
            new Style(Terminal.ofProcess().drawsOnErr()),
            System::nanoTime)) {
      file = ModelStore.of(System.getenv()).pull(model, progress);
    }
    spec.commandLine().getOut().println(file);
    spec.commandLine().getOut().flush();
    return ExitCode.OK;
  }
}
