package dev.sluice.app.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Teaches a shell the commands and flags. */
@Command(
    name = "completion",
    description = "Prints a script with which bash and zsh complete commands and flags.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "For this shell:     source <(sluice completion)",
      "For every new one:  sluice completion > ~/.local/share/bash-completion/completions/sluice"
    })
public final class CompletionCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(AutoComplete.bash(spec.root().name(), spec.root().commandLine()));
    out.flush();
    return ExitCode.OK;
  }
}
