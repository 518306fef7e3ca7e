package dev.sluice.app.generate;

import dev.sluice.app.cli.UsageException;
import dev.sluice.v1.Beam;
import dev.sluice.v1.Choices;
import dev.sluice.v1.Constraint;
import dev.sluice.v1.GenerateRequest;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Flags for what comes out: how many choices, in what form, with which probabilities. */
final class OutputOptions {
  @Option(names = "--n", paramLabel = "N", description = "Number of choices, 1 to 16.")
  private @Nullable Integer n;

  @Option(
      names = "--beam-width",
      paramLabel = "N",
      description = "Beam search with N beams in place of sampling.")
  private @Nullable Integer beamWidth;

  @Option(names = "--length-penalty", paramLabel = "X", description = "Of beams. Default: 1.")
  private @Nullable Float lengthPenalty;

  @Option(names = "--early-stopping", description = "End once as many beams are finished.")
  private boolean earlyStopping;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description = "Log-probabilities of output tokens and of the N likeliest (--output json).")
  private @Nullable Integer logprobs;

  @Option(
      names = "--prompt-logprobs",
      paramLabel = "N",
      description = "The same of the prompt's tokens (--output json).")
  private @Nullable Integer promptLogprobs;

  @Option(
      names = "--json-schema",
      paramLabel = "SCHEMA",
      description = "Only JSON that this schema accepts; @FILE reads it from a file.")
  private @Nullable String jsonSchema;

  @Option(names = "--regex", paramLabel = "PATTERN", description = "Only text that matches.")
  private @Nullable String regex;

  @Option(names = "--choice", paramLabel = "TEXT", description = "Only one of these. Repeatable.")
  private List<String> choices = List.of();

  void addTo(GenerateRequest.Builder request) {
    Optional.ofNullable(n).ifPresent(request::setN);
    if (beamWidth != null) {
      Beam.Builder beam = Beam.newBuilder().setWidth(beamWidth).setEarlyStopping(earlyStopping);
      Optional.ofNullable(lengthPenalty).ifPresent(beam::setLengthPenalty);
      request.setBeam(beam);
    } else if (lengthPenalty != null || earlyStopping) {
      throw new UsageException("--length-penalty and --early-stopping need --beam-width");
    }
    Optional.ofNullable(logprobs).ifPresent(request.getLogprobsBuilder()::setOutput);
    Optional.ofNullable(promptLogprobs).ifPresent(request.getLogprobsBuilder()::setPrompt);
    if (logprobs == null && promptLogprobs == null) {
      request.clearLogprobs();
    }
    addConstraint(request);
  }

  private void addConstraint(GenerateRequest.Builder request) {
    int kinds =
        (jsonSchema == null ? 0 : 1) + (regex == null ? 0 : 1) + (choices.isEmpty() ? 0 : 1);
    if (kinds > 1) {
      throw new UsageException("--json-schema, --regex and --choice exclude each other");
    }
    if (jsonSchema != null) {
      request.setConstraint(Constraint.newBuilder().setJsonSchema(TextArgument.read(jsonSchema)));
    } else if (regex != null) {
      request.setConstraint(Constraint.newBuilder().setRegex(regex));
    } else if (!choices.isEmpty()) {
      request.setConstraint(
          Constraint.newBuilder().setChoices(Choices.newBuilder().addAllValues(choices)));
    }
  }
}
