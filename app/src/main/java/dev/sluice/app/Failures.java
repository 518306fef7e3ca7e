package dev.sluice.app;

import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.FailedException;
import dev.sluice.app.cli.TimingText;
import dev.sluice.app.cli.UsageException;
import dev.sluice.app.fleet.ChildFailedException;
import dev.sluice.client.SluiceException;
import dev.sluice.common.config.ConfigException;
import dev.sluice.common.error.ListenException;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.ModelStoreException;
import dev.sluice.worker.runner.MemoryException;
import io.grpc.Status;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ParameterException;

/** What people see of a failure, and the exit code. */
final class Failures {
  private Failures() {}

  /** One clear line, or a stack trace if it is a fault of ours. */
  static int report(Exception failure, PrintWriter err) {
    if (AtExit.inProgress()) {
      return ExitCode.SOFTWARE;
    }
    int code =
        switch (failure) {
          case SluiceException e -> {
            err.println("sluice: " + describe(e));
            yield e.code() == Status.Code.INVALID_ARGUMENT ? ExitCode.USAGE : ExitCode.SOFTWARE;
          }
          case UsageException e -> line(e, err, ExitCode.USAGE);
          case ConfigException e -> line(e, err, ExitCode.USAGE);
          case ModelFileException e -> line(e, err, ExitCode.USAGE);
          case ModelStoreException e -> line(e, err, ExitCode.USAGE);
          case MemoryException e -> line(e, err, ExitCode.USAGE);
          case ChildFailedException e ->
              line(e, err, e.status() == ExitCode.USAGE ? ExitCode.USAGE : ExitCode.SOFTWARE);
          case FailedException e -> line(e, err, ExitCode.SOFTWARE);
          case ListenException e -> line(e, err, ExitCode.SOFTWARE);
          case Exception e -> {
            err.println("sluice: this is a fault of Sluice's:");
            e.printStackTrace(err);
            yield ExitCode.SOFTWARE;
          }
        };
    err.flush();
    return code;
  }

  private static int line(Exception e, PrintWriter err, int code) {
    err.println("sluice: " + e.getMessage());
    return code;
  }

  private static String describe(SluiceException e) {
    StringBuilder text = new StringBuilder(String.valueOf(e.getMessage()));
    for (SluiceException.Violation v : e.violations()) {
      String violation = v.field() + ": " + v.description();
      if (text.indexOf(violation) < 0) {
        text.append("; ").append(violation);
      }
    }
    e.retryDelay()
        .ifPresent(d -> text.append("; try again in ").append(TimingText.duration(d.toNanos())));
    if (e.code() == Status.Code.INTERNAL) {
      e.requestId().ifPresent(id -> text.append("; request ").append(id));
    }
    if (e.code() == Status.Code.UNAVAILABLE && text.indexOf("refused") >= 0) {
      text.append(" (is a router running there? `sluice up` starts a fleet, --target names one)");
    }
    return text.toString();
  }

  /** Wrong arguments: what is wrong, what was perhaps meant, and where to read on. */
  static int reportUsage(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    PrintWriter err = command.getErr();
    err.println("sluice: " + e.getMessage());
    CommandLine.UnmatchedArgumentException.printSuggestions(e, err);
    err.println("See: " + command.getCommandSpec().qualifiedName() + " --help");
    err.flush();
    return ExitCode.USAGE;
  }
}
