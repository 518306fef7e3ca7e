package dev.sluice.app.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.app.cli.FlagChecks;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.cli.UsageException;
import dev.sluice.common.config.ByteSize;
import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.CudaGraphOptions;
import dev.sluice.worker.graph.GraphOptions;
import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.graph.IntegerWeights;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.ModelStore;
import dev.sluice.worker.runner.MemoryLimit;
import dev.sluice.worker.runner.MemoryNeeds;
import dev.sluice.worker.runner.MemoryPlan;
import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Where the memory of a worker would go. */
@Command(
    name = "plan",
    description = "Prints where the memory of a worker with a model goes, and what fits into it.",
    mixinStandardHelpOptions = true,
    sortOptions = false)
final class ModelPlanCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Spec private CommandSpec spec = CommandSpec.create();

  @Parameters(paramLabel = "MODEL", description = "A name (pulled if needed), or a file.")
  private String model = "";

  @Mixin private PrecisionOptions precision = new PrecisionOptions();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description = "Memory of the worker, such as 4GiB. Default: what a worker here takes.")
  private Optional<String> memory = Optional.empty();

  @Option(
      names = "--gpu-memory",
      paramLabel = "SIZE",
      description = "Plans for a GPU of this size instead, such as 80GiB, in 16 bits.")
  private Optional<String> gpuMemory = Optional.empty();

  @Option(
      names = "--context",
      paramLabel = "N",
      split = ",",
      description = "Tokens of a request, prompt and output. Default: ${DEFAULT-VALUE}.")
  private List<Integer> contexts = List.of(2048, 8192);

  @Option(
      names = "--max-sequences",
      paramLabel = "N",
      description = "Requests in one step. Default: ${DEFAULT-VALUE}.")
  private int maxSequences = 64;

  @Option(
      names = "--max-batched-tokens",
      paramLabel = "N",
      description = "Tokens in one step. Default: ${DEFAULT-VALUE}.")
  private int maxBatchedTokens = 512;

  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() throws JsonProcessingException {
    check();
    PrintWriter out = spec.commandLine().getOut();
    try (ProgressBar progress =
            new ProgressBar(
                spec.commandLine().getErr(),
                new Style(Terminal.ofProcess().drawsOnErr()),
                System::nanoTime);
        Checkpoint checkpoint =
            Checkpoints.open(ModelStore.of(System.getenv()).resolve(model, progress))) {
      MemoryPlan needs = needs(checkpoint);
      long bytes =
          gpuMemory
              .or(() -> memory)
              .map(size -> size(size).bytes())
              .orElseGet(() -> MemoryLimit.ofProcess().budget(1));
      MemoryPlan plan = needs.withTotalBytes(bytes);
      if (output.json()) {
        out.println(JSON.writeValueAsString(json(plan, bytes)));
      } else {
        print(out, plan, bytes);
      }
      out.flush();
      return plan.blocks() > 0 ? ExitCode.OK : ExitCode.SOFTWARE;
    }
  }

  private void check() {
    if (memory.isPresent() && gpuMemory.isPresent()) {
      throw new UsageException("--memory and --gpu-memory (expected: one of them)");
    }
    FlagChecks.atLeast("--max-sequences", maxSequences, 1);
    FlagChecks.atLeast("--max-batched-tokens", maxBatchedTokens, 1);
    contexts.forEach(context -> FlagChecks.atLeast("--context", context, 1));
  }

  private static ByteSize size(String text) {
    try {
      return ByteSize.parse(text);
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()), e);
    }
  }

  private MemoryPlan needs(Checkpoint checkpoint) {
    ModelConfig config = checkpoint.config();
    if (gpuMemory.isPresent()) {
      CudaGraphOptions options =
          new CudaGraphOptions(
              gpuQuantization(),
              HalfType.FLOAT16,
              CudaCache.HALF,
              config.maxContext(),
              CudaGraphOptions.MICROSOFT);
      return MemoryNeeds.gpu(config, options, maxBatchedTokens, maxSequences);
    }
    GraphOptions options =
        new GraphOptions(
            precision.quantization(),
            IntegerWeights.SIGNED, // as large as the other
            precision.kvType(),
            config.maxContext(),
            AttentionShape.BLOCK_SIZE);
    return MemoryNeeds.cpu(config, options, maxBatchedTokens, maxSequences);
  }

  /** Weights by rows are for CPUs; a GPU would hold them in 16 bits. */
  private Quantization gpuQuantization() {
    Quantization asked = precision.quantization();
    return asked == Quantization.INT8 ? Quantization.NONE : asked;
  }

  private void print(PrintWriter out, MemoryPlan plan, long bytes) {
    row(out, gpuMemory.isPresent() ? "GPU memory" : "memory", MemoryPlan.size(bytes), "");
    row(
        out,
        "weights",
        MemoryPlan.size(plan.weightBytes()),
        gpuMemory.isPresent() ? "16 bits" : precision.quantization().label());
    row(out, "working memory", MemoryPlan.size(plan.workingBytes()), "at most");
    row(
        out,
        "KV cache",
        MemoryPlan.size(plan.kvBytes()),
        "%s a token; %d blocks of %d tokens, %s each"
            .formatted(
                MemoryPlan.size(plan.kvBytesPerToken()),
                plan.blocks(),
                plan.blockSize(),
                MemoryPlan.size(plan.blockBytes())));
    out.println();
    out.printf("%-16s %12s%n", "request of", "fit at once");
    for (int context : contexts) {
      out.printf("%-16s %12d%n", context + " tokens", plan.requests(context));
    }
    if (plan.blocks() == 0) {
      out.println();
      out.println(
          "no room for a KV cache: at least "
              + MemoryPlan.size(plan.totalBytesFor(1))
              + " are needed");
    }
  }

  private static void row(PrintWriter out, String name, String size, String note) {
    out.println("%-16s %12s  %s".formatted(name, size, note).stripTrailing());
  }

  private ObjectNode json(MemoryPlan plan, long bytes) {
    ObjectNode json =
        JSON.createObjectNode()
            .put("device", gpuMemory.isPresent() ? "cuda" : "cpu")
            .put("memory_bytes", bytes)
            .put("weight_bytes", plan.weightBytes())
            .put("working_bytes", plan.workingBytes())
            .put("kv_bytes", plan.kvBytes())
            .put("kv_bytes_per_token", plan.kvBytesPerToken())
            .put("block_size", plan.blockSize())
            .put("blocks", plan.blocks());
    ArrayNode fitting = json.putArray("requests");
    for (int context : contexts) {
      fitting.addObject().put("tokens", context).put("fit", plan.requests(context));
    }
    return json;
  }
}
