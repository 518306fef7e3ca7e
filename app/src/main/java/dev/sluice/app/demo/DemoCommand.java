package dev.sluice.app.demo;

import dev.sluice.app.cli.AtExit;
import dev.sluice.app.cli.FailedException;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.cli.TimingText;
import dev.sluice.app.fleet.Distribution;
import dev.sluice.app.fleet.FleetEvent;
import dev.sluice.app.fleet.LocalFleet;
import dev.sluice.app.fleet.LocalFleetFlags;
import dev.sluice.app.model.ProgressBar;
import dev.sluice.client.GenerateOptions;
import dev.sluice.client.SluiceClient;
import dev.sluice.client.TokenStream;
import dev.sluice.v1.Finished;
import dev.sluice.v1.Started;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** From nothing to an answer: fetches a model, starts a fleet, asks, shows the timings, stops. */
@Command(
    name = "demo",
    description = "Starts a router and two workers, streams an answer, stops them.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
public final class DemoCommand implements Callable<Integer> {
  private static final Duration READY_TIMEOUT = Duration.ofMinutes(5);
  private static final Duration ANSWER_TIMEOUT = Duration.ofMinutes(2);
  private static final int MAX_TOKENS = 64;

  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private LocalFleetFlags flags = new LocalFleetFlags();

  @Option(
      names = "--prompt",
      paramLabel = "TEXT",
      description = "What to ask. Default: ${DEFAULT-VALUE}")
  private String prompt = "What is the capital of France?";

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter err = spec.commandLine().getErr();
    Terminal terminal = Terminal.ofProcess();
    try (ProgressBar progress =
        new ProgressBar(err, new Style(terminal.drawsOnErr()), System::nanoTime)) {
      flags.pull(progress);
    }
    long start = System.nanoTime();
    say("starting a router and %d workers with %s".formatted(flags.workers(), flags.model()));
    try (LocalFleet fleet =
            new LocalFleet(Distribution.ofProcess(), flags.options(0), this::onEvent);
        AtExit _ = AtExit.run(fleet::close)) {
      String target = fleet.start();
      fleet.awaitReady(READY_TIMEOUT);
      say("ready at " + target + " after " + TimingText.duration(System.nanoTime() - start));
      ask(target, new Style(terminal.drawsOnOut()));
    }
    say("stopped everything; " + TimingText.duration(System.nanoTime() - start) + " in all");
    say("next: sluice up, then sluice generate \"…\" or sluice chat");
    return ExitCode.OK;
  }

  /** Only what goes wrong is news here. */
  private void onEvent(FleetEvent event) {
    switch (event) {
      case FleetEvent.Died died -> say(died.how());
      case FleetEvent.Listening _,
          FleetEvent.Workers _,
          FleetEvent.Ready _,
          FleetEvent.Restarting _ -> {}
    }
  }

  private void ask(String target, Style style) {
    PrintWriter out = spec.commandLine().getOut();
    out.println();
    out.println(style.bold("> " + prompt));
    out.flush();
    try (SluiceClient client = SluiceClient.create(target);
        TokenStream stream =
            client.generate(
                GenerateOptions.chat(prompt).temperature(0).maxTokens(MAX_TOKENS).build(),
                ANSWER_TIMEOUT)) {
      for (String text : stream.texts()) {
        out.print(text);
        out.flush();
      }
      out.println();
      out.println();
      Finished finished =
          stream
              .finished()
              .orElseThrow(() -> new FailedException("the stream ended without `finished`"));
      printTimings(out, style, stream.started().orElse(Started.getDefaultInstance()), finished);
    }
  }

  private static void printTimings(
      PrintWriter out, Style style, Started started, Finished finished) {
    var timings = finished.getTimings();
    row(out, style, "worker", started.getWorkerId());
    row(
        out,
        style,
        "queue time",
        TimingText.duration(timings.getAdmissionWaitNanos() + timings.getQueueNanos()));
    row(
        out,
        style,
        "prefill",
        TimingText.duration(timings.getPrefillNanos())
            + " for "
            + finished.getUsage().getPromptTokens()
            + " tokens");
    row(out, style, "TTFT", TimingText.duration(timings.getTtftNanos()));
    row(
        out,
        style,
        "mean ITL",
        TimingText.duration(timings.getItlMeanNanos())
            + " (longest "
            + TimingText.duration(timings.getItlMaxNanos())
            + ")");
    row(out, style, "output", finished.getUsage().getOutputTokens() + " tokens");
    row(out, style, "speed", TimingText.decodeRate(timings));
    out.println();
    out.flush();
  }

  private static void row(PrintWriter out, Style style, String name, String value) {
    out.println("  " + style.dim("%-12s".formatted(name)) + value);
  }

  private void say(String line) {
    PrintWriter err = spec.commandLine().getErr();
    err.println("sluice: " + line);
    err.flush();
  }
}
