package dev.sluice.worker;

import dev.sluice.common.config.BuildInfo;
import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.server.GrpcServer;
import dev.sluice.common.server.Lifecycle;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.v1.Capabilities;
import dev.sluice.v1.Limits;
import dev.sluice.v1.MemoryPlan;
import dev.sluice.v1.Model;
import dev.sluice.worker.engine.NanoClock;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.Checkpoints;
import dev.sluice.worker.model.ModelStore;
import dev.sluice.worker.model.Progress;
import dev.sluice.worker.service.ModelForm;
import dev.sluice.worker.service.Tokenization;
import dev.sluice.worker.service.WorkerMetrics;
import dev.sluice.worker.service.WorkerProfile;
import dev.sluice.worker.service.WorkerServices;
import dev.sluice.worker.triton.TritonConfig;
import dev.sluice.worker.triton.TritonEngine;
import dev.sluice.worker.triton.TritonLimits;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Puts together what a worker before a Triton server consists of. */
final class TritonWorker {
  /** What sending the last messages of streams may take once the engine has ended. */
  private static final Duration LAST_MESSAGES = Duration.ofSeconds(5);

  private TritonWorker() {}

  /**
   * Loads the tokenizer, if there is to be one.
   *
   * @throws dev.sluice.worker.model.ModelFileException if it cannot be used
   * @throws dev.sluice.worker.model.ModelStoreException if there is no such model
   */
  static Optional<Tokenization> tokenization(TritonConfig config) {
    return config
        .tokenizer()
        .map(name -> {
          Path file = ModelStore.of(System.getenv()).resolve(name, Progress.NONE);
          try (Checkpoint checkpoint = Checkpoints.open(file)) {
            TokenizerBundle bundle = checkpoint.tokenizer();
            Tokenizer tokenizer = LoadedModel.tokenizer(file, checkpoint);
            return new Tokenization(bundle, tokenizer, new PromptEncoder(bundle, tokenizer));
          }
        });
  }

  /** Starts the engine and hands it to the services. */
  static void serve(
      WorkerConfig config,
      Optional<Tokenization> tokenization,
      GrpcServer server,
      Telemetry telemetry,
      WorkerServices services,
      Lifecycle lifecycle) {
    tokenization.ifPresent(loaded -> lifecycle.add("tokenizer", loaded.tokenizer()));
    WorkerProfile profile = profile(config, server.port(), tokenization);
    WorkerMetrics metrics = new WorkerMetrics(telemetry.meter(), profile.model().getId());
    TritonEngine engine =
        new TritonEngine(
            config.triton(),
            new TritonLimits(
                config.engine().maxSequences(),
                config.engine().maxWaitingRequests(),
                config.engine().maxWaitingTokens(),
                config.engine().retryAfter(),
                config.scheduling().config()),
            NanoClock.SYSTEM,
            metrics,
            telemetry.clientInterceptor(),
            services::engineAvailable);
    metrics.observe(engine::snapshot);
    services.loaded(
        engine, form(config.triton()), tokenization, profile, telemetry.tracer(), metrics);
    engine.start();
    lifecycle.add("calls", () -> server.stop(LAST_MESSAGES));
    lifecycle.add("services", services);
  }

  private static ModelForm form(TritonConfig config) {
    return switch (config.prompt()) {
      case TEXT -> ModelForm.TEXT;
      case TOKEN_IDS -> ModelForm.TOKENS;
    };
  }

  private static WorkerProfile profile(
      WorkerConfig config, int port, Optional<Tokenization> tokenization) {
    TritonConfig triton = config.triton();
    Model.Builder model =
        Model.newBuilder()
            .setId(config.model().id().orElse(triton.model()))
            .addAllAliases(config.model().aliases())
            .setContextLength(triton.contextLength())
            .setMaxRequestTokens(triton.contextLength())
            .setVocabularySize(
                tokenization
                    .map(loaded -> loaded.tokenizer().vocabularySize())
                    .orElse(Integer.MAX_VALUE));
    tokenization.ifPresent(loaded ->
        model
            .setChatTemplate(loaded.prompts().hasChatTemplate())
            .setTokenizerFingerprint(loaded.bundle().fingerprint()));
    return new WorkerProfile(
        // Nothing is known of the numbers there: no other worker's are equal.
        WorkerMain.identity(config, port, "triton-" + triton.target() + "-" + triton.model()),
        Capabilities.newBuilder().setTokenIds(tokenization.isPresent()).build(),
        model.build(),
        Limits.newBuilder()
            .setMaxSequences(config.engine().maxSequences())
            .setMaxWaitingRequests(config.engine().maxWaitingRequests())
            .setMaxPendingPrefillTokens(config.engine().maxWaitingTokens())
            .build(),
        MemoryPlan.getDefaultInstance(),
        "triton:" + triton.target(),
        "none",
        "sluice " + BuildInfo.version());
  }
}
