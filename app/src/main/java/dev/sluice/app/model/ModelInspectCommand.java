package dev.sluice.app.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.ModelStore;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What is in a model file. */
@Command(
    name = "inspect",
    description = "Prints what is in a model.",
    mixinStandardHelpOptions = true)
final class ModelInspectCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "MODEL", description = "A name (pulled if needed), a file or a folder.")
  private String model = "";

  @Option(names = "--tensors", description = "List every weight with its shape.")
  private boolean tensors;

  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() throws JsonProcessingException {
    PrintWriter out = spec.commandLine().getOut();
    try (ProgressBar progress =
            new ProgressBar(
                spec.commandLine().getErr(),
                new Style(Terminal.ofProcess().drawsOnErr()),
                System::nanoTime);
        Checkpoint checkpoint = Checkpoints.open(open(ModelStore.of(System.getenv()), progress))) {
      ObjectNode facts = facts(checkpoint);
      if (output.json()) {
        out.println(JSON.writeValueAsString(facts));
      } else {
        facts.properties().forEach(fact -> print(out, fact.getKey(), fact.getValue()));
      }
    }
    out.flush();
    return ExitCode.OK;
  }

  private Path open(ModelStore store, ProgressBar progress) {
    return store.resolve(model, progress);
  }

  private static void print(
      PrintWriter out, String name, com.fasterxml.jackson.databind.JsonNode value) {
    if (value.isArray()) {
      out.println(name + ":");
      value.forEach(tensor ->
          out.printf(
              "  %-50s %s%n", tensor.path("name").asText(), tensor.path("shape").toString()));
    } else {
      out.printf("%-24s %s%n", name, value.asText());
    }
  }

  private ObjectNode facts(Checkpoint checkpoint) {
    ModelConfig config = checkpoint.config();
    long parameters = 0;
    ArrayNode weights = JSON.createArrayNode();
    for (String name : checkpoint.names().stream().sorted().toList()) {
      long[] shape = checkpoint.shape(name);
      parameters += Arrays.stream(shape).reduce(1, (a, b) -> a * b);
      ArrayNode dimensions = weights.addObject().put("name", name).putArray("shape");
      Arrays.stream(shape).forEach(dimensions::add);
    }
    ObjectNode facts =
        JSON.createObjectNode()
            .put("architecture", config.architecture())
            .put("parameters", parameters)
            .put("weights", weights.size())
            .put("layers", config.layers())
            .put("hidden_size", config.hiddenSize())
            .put("intermediate_size", config.intermediateSize())
            .put("heads", config.heads())
            .put("kv_heads", config.kvHeads())
            .put("head_size", config.headSize())
            .put("vocabulary_size", config.vocabularySize())
            .put("context_length", config.maxContext())
            .put("rope_theta", config.ropeTheta())
            .put("rotary_scaling", config.rotaryScaling().label())
            .put("attention_bias", config.attentionBias())
            .put("query_key_norm", config.queryKeyNorm())
            .put("sliding_window", config.slidingWindow())
            .put("norm_epsilon", String.format(Locale.ROOT, "%g", config.normEpsilon()))
            .put("tied_head", config.tiedHead())
            .put("tokenizer_fingerprint", checkpoint.tokenizer().fingerprint())
            .put("chat_template", !checkpoint.tokenizer().chatTemplate().isEmpty())
            .put("content_hash", checkpoint.contentHash());
    if (tensors) {
      facts.set("tensors", weights);
    }
    return facts;
  }
}
