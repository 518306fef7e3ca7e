package dev.sluice.app.bench;

import static dev.sluice.app.cli.FlagChecks.atLeast;

import dev.sluice.app.cli.UsageException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What is sent. */
final class WorkloadOptions {
  /** Kinds of work. */
  enum Kind {
    RANDOM,
    SHARED_PREFIX,
    MULTI_TURN,
    TRACE;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  @Option(
      names = "--workload",
      paramLabel = "KIND",
      description = "random, shared-prefix, multi-turn or trace. Default: ${DEFAULT-VALUE}.")
  private String workload = "random";

  @Option(
      names = {"-n", "--requests"},
      paramLabel = "N",
      description = "Requests, or conversations of multi-turn. Default: ${DEFAULT-VALUE}.")
  private int requests = 100;

  @Option(
      names = "--input-len",
      paramLabel = "N",
      description = "Prompt tokens, without shared prefix. Default: ${DEFAULT-VALUE}.")
  private int inputLength = 256;

  @Option(
      names = "--output-len",
      paramLabel = "N",
      description = "Output tokens. Default: ${DEFAULT-VALUE}.")
  private int outputLength = 64;

  @Option(
      names = "--length-spread",
      paramLabel = "X",
      description =
          "0: all as long; 0.5: half as long to one and a half times. Default: ${DEFAULT-VALUE}.")
  private double spread;

  @Option(
      names = "--prefix-len",
      paramLabel = "N",
      description = "Tokens of a system prompt. Default: ${DEFAULT-VALUE}.")
  private int prefixLength = 256;

  @Option(
      names = "--prefixes",
      paramLabel = "N",
      description = "Different system prompts of shared-prefix. Default: ${DEFAULT-VALUE}.")
  private int prefixes = 1;

  @Option(
      names = "--turns",
      paramLabel = "N",
      description = "Requests of each conversation of multi-turn. Default: ${DEFAULT-VALUE}.")
  private int turns = 4;

  @Option(
      names = "--trace",
      paramLabel = "FILE",
      description = "Lines of JSON with timestamp (ms), input_length, output_length, hash_ids.")
  private @Nullable Path trace;

  Workload workload() {
    Kind kind = kind();
    atLeast("--requests", requests, 1);
    atLeast("--input-len", inputLength, 1);
    atLeast("--output-len", outputLength, 1);
    atLeast("--prefix-len", prefixLength, 0);
    atLeast("--prefixes", prefixes, 1);
    atLeast("--turns", turns, 1);
    if (!(spread >= 0 && spread <= 1)) {
      throw new UsageException("--length-spread: " + spread + " (expected: 0 to 1)");
    }
    if ((kind == Kind.TRACE) != (trace != null)) {
      throw new UsageException("--trace goes with --workload trace (expected: both or none)");
    }
    Lengths input = new Lengths(inputLength, spread);
    Lengths output = new Lengths(outputLength, spread);
    return switch (kind) {
      case RANDOM -> new RandomWorkload(requests, input, output);
      case SHARED_PREFIX ->
          new SharedPrefixWorkload(requests, prefixes, prefixLength, input, output);
      case MULTI_TURN -> new MultiTurnWorkload(requests, turns, prefixLength, input, output);
      case TRACE -> TraceWorkload.read(Objects.requireNonNull(trace), requests);
    };
  }

  /** The kind's. */
  String name() {
    return workload;
  }

  /** Requests of each job. */
  int requestsPerJob() {
    return kind() == Kind.MULTI_TURN ? turns : 1;
  }

  boolean recorded() {
    return kind() == Kind.TRACE;
  }

  private Kind kind() {
    for (Kind kind : Kind.values()) {
      if (kind.toString().equals(workload)) {
        return kind;
      }
    }
    throw new UsageException(
        "--workload: %s (expected: random, shared-prefix, multi-turn or trace)"
            .formatted(workload));
  }
}
