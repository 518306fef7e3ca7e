package dev.sluice.app;

import dev.sluice.app.bench.BenchCommand;
import dev.sluice.app.cli.CompletionCommand;
import dev.sluice.app.demo.DemoCommand;
import dev.sluice.app.doctor.DoctorCommand;
import dev.sluice.app.fleet.FleetCommand;
import dev.sluice.app.fleet.UpCommand;
import dev.sluice.app.generate.ChatCommand;
import dev.sluice.app.generate.GenerateCommand;
import dev.sluice.app.keys.KeysCommand;
import dev.sluice.app.model.EngineBenchCommand;
import dev.sluice.app.model.ModelCommand;
import dev.sluice.app.simulate.SimulateCommand;
import dev.sluice.app.simulate.SimulateFleetCommand;
import dev.sluice.common.config.BuildInfo;
import dev.sluice.common.config.Durations;
import dev.sluice.common.server.Logging;
import dev.sluice.router.RouterCommand;
import dev.sluice.worker.WorkerCommand;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** The {@code sluice} command line. Exit codes: 0 done, 1 failed, 2 wrong usage or input. */
@Command(
    name = "sluice",
    description = "Serves large language models over gRPC.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      UpCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      ModelCommand.class,
      RouterCommand.class,
      WorkerCommand.class,
      FleetCommand.class,
      KeysCommand.class,
      BenchCommand.class,
      EngineBenchCommand.class,
      SimulateCommand.class,
      SimulateFleetCommand.class,
      DoctorCommand.class,
      CompletionCommand.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:done", "1:failed", "2:wrong usage or input", "130:stopped by Ctrl-C"},
    footer = {
      "",
      "sluice COMMAND --help explains a command.",
      "sluice aot (a command of the launcher) caches loaded classes: starts in half the time."
    })
public final class Main {
  private static final Set<String> SERVERS = Set.of("router", "worker", "simulate-fleet");

  Main() {}

  public static void main(String[] args) {
    // Servers tell what they do; a command's output is its own.
    Logging.start(args.length > 0 && SERVERS.contains(args[0]) ? "info" : "warn");
    ParentWatch.startIfAsked();
    // Always UTF-8: the locale of a server or a container is often POSIX.
    PrintWriter out = utf8(FileDescriptor.out);
    PrintWriter err = utf8(FileDescriptor.err);
    int code = commandLine(out, err).execute(args);
    out.flush();
    err.flush();
    System.exit(code);
  }

  /** The parser of all commands, with how they fail. Writers are flushed by who writes. */
  static CommandLine commandLine(PrintWriter out, PrintWriter err) {
    return new CommandLine(new Main())
        .registerConverter(Duration.class, Main::duration)
        // A prompt may begin with @.
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setUsageHelpAutoWidth(false)
        .setUsageHelpWidth(100)
        .setExecutionExceptionHandler((e, command, _) -> Failures.report(e, command.getErr()))
        .setParameterExceptionHandler(Failures::reportUsage)
        .setOut(out)
        .setErr(err);
  }

  private static Duration duration(String text) {
    try {
      return Durations.parse(text);
    } catch (IllegalArgumentException e) {
      throw new CommandLine.TypeConversionException(String.valueOf(e.getMessage()));
    }
  }

  private static PrintWriter utf8(FileDescriptor stream) {
    return new PrintWriter(new FileOutputStream(stream), false, StandardCharsets.UTF_8);
  }

  /** Prints what the build wrote down. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "sluice " + BuildInfo.version() + " (Java " + Runtime.version().feature() + ")"
      };
    }
  }
}
