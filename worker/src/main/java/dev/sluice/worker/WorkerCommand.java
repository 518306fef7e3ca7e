package dev.sluice.worker;

import dev.sluice.common.config.ConfigException;
import dev.sluice.common.config.ConfigOptions;
import dev.sluice.common.error.ListenException;
import dev.sluice.common.security.SecurityFileException;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.ModelStoreException;
import dev.sluice.worker.runner.DeviceException;
import dev.sluice.worker.runner.MemoryException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Unmatched;

/**
 * {@code sluice worker}. Exit codes: 0 stopped when asked, 1 could not run, 2 wrong usage,
 * configuration, model file or device.
 */
@Command(
    name = "worker",
    description = "Runs a worker: serves one model on this machine.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Every key of the configuration is also a flag (--engine.max-sequences 8) and an environment",
      "variable (SLUICE_ENGINE_MAX_SEQUENCES). Flags override the environment, it overrides the",
      "file. --print-config shows all keys with their values.",
      "TLS, API keys and identities: --tls.certificate, --auth.keys and others, docs/security.md."
    })
public final class WorkerCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private ConfigOptions options = new ConfigOptions();
  @Unmatched private List<String> keys = new ArrayList<>();

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description =
          "Catalogue name or model file. Default: smollm2-135m, fetched if needed. (--model.name)")
  private Optional<String> model = Optional.empty();

  @Option(
      names = "--quantization",
      paramLabel = "MODE",
      description =
          "How weights are held: none, int8 (default), int8-block or int4-block."
              + " (--model.quantization)")
  private Optional<String> quantization = Optional.empty();

  @Option(
      names = "--engine",
      paramLabel = "ENGINE",
      description =
          "Who computes: onnx, this process (default); or triton, a Triton Inference Server that"
              + " this one stands before (docs/triton.md). (--engine.kind)")
  private Optional<String> engine = Optional.empty();

  @Option(
      names = "--triton",
      paramLabel = "HOST:PORT",
      description = "Triton's gRPC address. Default: 127.0.0.1:8001. (--triton.target)")
  private Optional<String> triton = Optional.empty();

  @Option(
      names = "--triton-model",
      paramLabel = "NAME",
      description = "The model's name on the Triton server. (--triton.model)")
  private Optional<String> tritonModel = Optional.empty();

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description =
          "What computes: cpu, or cuda:N in a build with CUDA (docs/cuda.md). (--engine.device)")
  private Optional<String> device = Optional.empty();

  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      description =
          "How keys and values are held: float32, bf16 or int8. Default: bf16. (--kv-cache.type)")
  private Optional<String> kvType = Optional.empty();

  @Option(
      names = "--prefix-cache",
      paramLabel = "TRUE|FALSE",
      description =
          "Whether what was computed for a request is kept for others that begin alike. Default:"
              + " true. (--kv-cache.prefix-cache)")
  private Optional<String> prefixCache = Optional.empty();

  @Option(
      names = "--draft-tokens",
      paramLabel = "N",
      description =
          "Speculative decoding: most tokens of a stream that one step checks because they followed"
              + " the same ones before. The output is the same; 0 turns it off. Default: 8."
              + " (--engine.draft-tokens)")
  private Optional<String> draftTokens = Optional.empty();

  @Option(
      names = "--memory",
      paramLabel = "SIZE",
      description =
          "Memory for all of the worker, such as 4GiB; the KV cache gets what weights and working"
              + " memory leave. On a GPU, of its memory. Default: 9/10 of the control group's"
              + " limit, or half of the machine's; none for a GPU.")
  private Optional<String> memory = Optional.empty();

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads that compute. Default: all processors. (--engine.threads)")
  private Optional<String> threads = Optional.empty();

  @Option(
      names = "--scheduling",
      paramLabel = "ORDER",
      description =
          "Who is computed first: fair (by priority, then fairly over the tenants; default) or fcfs"
              + " (first come, first served). (--scheduling.policy)")
  private Optional<String> scheduling = Optional.empty();

  @Option(
      names = "--itl-goal",
      paramLabel = "TIME",
      description =
          "Inter-token latency that running streams shall keep while prompts come in, such as"
              + " 100ms. Default: none; prompts are computed as fast as they can be."
              + " (--scheduling.itl-goal)")
  private Optional<String> itlGoal = Optional.empty();

  @Option(
      names = "--port",
      paramLabel = "N",
      description = "Port for gRPC; 0 takes a free one. Default: 9091. (--server.port)")
  private Optional<String> port = Optional.empty();

  @Override
  public Integer call() throws InterruptedException {
    CommandLine commandLine = spec.commandLine();
    Optional<WorkerConfig> config;
    try {
      config =
          options
              .with(keys)
              .with("model.name", model)
              .with("model.quantization", quantization)
              .with("engine.kind", engine)
              .with("triton.target", triton)
              .with("triton.model", tritonModel)
              .with("engine.device", device)
              .with("kv-cache.type", kvType)
              .with("kv-cache.prefix-cache", prefixCache)
              .with("engine.draft-tokens", draftTokens)
              .with("memory", memory)
              .with("engine.threads", threads)
              .with("scheduling.policy", scheduling)
              .with("scheduling.itl-goal", itlGoal)
              .with("server.port", port)
              .load(WorkerConfig.class, WorkerConfig.defaults(), commandLine);
    } catch (ConfigException e) {
      return ConfigOptions.failed(commandLine, e, ExitCode.USAGE);
    }
    if (config.isEmpty()) {
      return ExitCode.OK;
    }
    try {
      WorkerMain.run(config.get());
      return ExitCode.OK;
    } catch (ListenException | IOException e) {
      return ConfigOptions.failed(commandLine, e, ExitCode.SOFTWARE);
    } catch (ModelFileException
        | ModelStoreException
        | MemoryException
        | DeviceException
        | SecurityFileException e) {
      return ConfigOptions.failed(commandLine, e, ExitCode.USAGE);
    }
  }
}
