package dev.sluice.worker;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.common.tokenizer.TokenizerException;
import dev.sluice.worker.graph.CudaGraphOptions;
import dev.sluice.worker.graph.GraphOptions;
import dev.sluice.worker.graph.IntegerWeights;
import dev.sluice.worker.kernel.AttentionShape;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.ContentHashes;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.ModelStore;
import dev.sluice.worker.model.Progress;
import dev.sluice.worker.runner.CudaModelRunner;
import dev.sluice.worker.runner.CudaRunnerConfig;
import dev.sluice.worker.runner.Device;
import dev.sluice.worker.runner.DeviceRunner;
import dev.sluice.worker.runner.MemoryBudget;
import dev.sluice.worker.runner.MemoryLimit;
import dev.sluice.worker.runner.MemoryNeeds;
import dev.sluice.worker.runner.MemoryPlan;
import dev.sluice.worker.runner.OrtModelRunner;
import dev.sluice.worker.runner.OrtModelRunnerConfig;
import dev.sluice.worker.runner.WeightsCache;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A model, ready to take steps, and its tokenizer. Whoever gets it closes both.
 *
 * @param bundle the tokenizer's files
 * @param prompts renders and tokenizes
 */
record LoadedModel(
    DeviceRunner runner, TokenizerBundle bundle, Tokenizer tokenizer, PromptEncoder prompts) {
  private static final Logger log = LoggerFactory.getLogger(LoadedModel.class);

  /** A context of ordinary length, for people to compare. */
  private static final int ORDINARY_CONTEXT = 2048;

  /**
   * Fetches the model if need be and loads it; warms up.
   *
   * @throws dev.sluice.worker.model.ModelFileException if the model cannot be used
   * @throws dev.sluice.worker.model.ModelStoreException if there is no such model
   * @throws dev.sluice.worker.runner.MemoryException if there is not memory enough
   * @throws dev.sluice.worker.runner.DeviceException if the device cannot be had
   */
  static LoadedModel load(WorkerConfig config) {
    Path file = ModelStore.of(System.getenv()).resolve(config.model().name(), Progress.NONE);
    Path home = ModelStore.home(System.getenv());
    ContentHashes hashes = new ContentHashes(home.resolve("hashes"), InstantSource.system());
    WeightsCache cache = new WeightsCache(home.resolve("weights"), InstantSource.system());
    long start = System.nanoTime();
    try (Checkpoint checkpoint = Checkpoints.open(file, hashes)) {
      // Beside the weights: both take long, and each needs but one processor for most of it.
      CompletableFuture<Tokenizer> tokenizer =
          CompletableFuture.supplyAsync(() -> tokenizer(file, checkpoint));
      DeviceRunner runner;
      try {
        runner = runner(config, checkpoint, Optional.of(cache));
      } catch (RuntimeException | Error e) {
        CompletableFuture<Void> _ = tokenizer.thenAccept(Tokenizer::close);
        throw e;
      }
      try {
        log.info(
            "loaded {} in {} ms; memory {}",
            file.getFileName(),
            (System.nanoTime() - start) / 1_000_000,
            runner.memoryPlan().describe(contexts(runner.geometry().maxContext())));
        runner.warmUp();
        Tokenizer loaded = join(tokenizer);
        return new LoadedModel(
            runner,
            checkpoint.tokenizer(),
            loaded,
            new PromptEncoder(checkpoint.tokenizer(), loaded));
      } catch (RuntimeException | Error e) {
        runner.close();
        throw e;
      }
    }
  }

  private static List<Integer> contexts(int longest) {
    return longest > ORDINARY_CONTEXT ? List.of(ORDINARY_CONTEXT, longest) : List.of(longest);
  }

  /** Loads a model's tokenizer; a message of the library's names the model. */
  static Tokenizer tokenizer(Path file, Checkpoint checkpoint) {
    try {
      return Tokenizer.load(checkpoint.tokenizer());
    } catch (TokenizerException e) {
      throw new ModelFileException(file + ": tokenizer: " + e.getMessage(), e);
    }
  }

  private static Tokenizer join(CompletableFuture<Tokenizer> tokenizer) {
    try {
      return tokenizer.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static DeviceRunner runner(
      WorkerConfig config, Checkpoint checkpoint, Optional<WeightsCache> cache) {
    return switch (config.engine().runsOn()) {
      case Device.Cpu _ -> OrtModelRunner.load(checkpoint, cpu(config, checkpoint), cache);
      case Device.Cuda gpu -> CudaModelRunner.load(checkpoint, gpu(config, checkpoint), gpu, cache);
    };
  }

  private static OrtModelRunnerConfig cpu(WorkerConfig config, Checkpoint checkpoint) {
    int context = context(config, checkpoint);
    int tokens = config.engine().maxBatchedTokens();
    int sequences = config.engine().maxSequences();
    GraphOptions options =
        new GraphOptions(
            config.model().quantization(),
            IntegerWeights.SIGNED, // as large as the other
            config.kvCache().type(),
            context,
            AttentionShape.BLOCK_SIZE);
    MemoryPlan plan =
        budget(config)
            .plan(
                MemoryNeeds.cpu(checkpoint.config(), options, tokens, sequences),
                context,
                sequences);
    return new OrtModelRunnerConfig(
        config.model().quantization(),
        config.kvCache().type(),
        config.engine().threads(),
        plan.kvBytes(),
        AttentionShape.BLOCK_SIZE,
        context,
        tokens,
        sequences);
  }

  private static CudaRunnerConfig gpu(WorkerConfig config, Checkpoint checkpoint) {
    int context = context(config, checkpoint);
    int tokens = config.engine().maxBatchedTokens();
    int sequences = config.engine().maxSequences();
    CudaGraphOptions options =
        new CudaGraphOptions(
            config.model().quantization(),
            config.engine().gpuType(),
            config.engine().gpuCache(),
            context,
            CudaGraphOptions.MICROSOFT);
    MemoryPlan plan =
        budget(config)
            .plan(
                MemoryNeeds.gpu(checkpoint.config(), options, tokens, sequences),
                context,
                sequences);
    return new CudaRunnerConfig(
        options.quantization(),
        options.type(),
        options.cache(),
        config.engine().threads(),
        plan.kvBytes(),
        context,
        tokens,
        sequences);
  }

  private static int context(WorkerConfig config, Checkpoint checkpoint) {
    int asked = config.model().contextLength();
    int most = checkpoint.config().maxContext();
    return asked == 0 ? most : Math.min(asked, most);
  }

  private static MemoryBudget budget(WorkerConfig config) {
    return new MemoryBudget(
        config.memory().map(ByteSize::bytes),
        config.kvCache().memory().map(ByteSize::bytes),
        MemoryLimit.ofProcess());
  }
}
