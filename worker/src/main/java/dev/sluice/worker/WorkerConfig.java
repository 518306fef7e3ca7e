package dev.sluice.worker;

import dev.sluice.common.config.ByteSize;
import dev.sluice.common.config.Checks;
import dev.sluice.common.security.AuthConfig;
import dev.sluice.common.security.TlsConfig;
import dev.sluice.common.server.AdminConfig;
import dev.sluice.common.server.ServerConfig;
import dev.sluice.common.telemetry.TelemetryConfig;
import dev.sluice.worker.engine.SchedulingConfig;
import dev.sluice.worker.engine.SchedulingPolicy;
import dev.sluice.worker.graph.CudaCache;
import dev.sluice.worker.graph.HalfType;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.runner.Device;
import dev.sluice.worker.triton.TritonConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Everything that can be set for a worker.
 *
 * @param workerId stable name, unique in the fleet; default: host name and port
 * @param server where it listens
 * @param tls of its port
 * @param auth who may call it
 * @param telemetry what it tells about itself
 * @param model what it serves
 * @param engine how it runs it
 * @param scheduling who is computed first, and how much at a time
 * @param memory for all of the worker: weights, working memory and KV cache; default: nine tenths
 *     of the control group's limit, or half of the machine's memory. On a GPU: of its memory,
 *     without a default
 * @param kvCache memory of the streams
 * @param triton the model of a Triton server, for that engine
 * @param admin where the process itself can be looked into
 * @param portFile where the ports are written once the worker listens
 */
public record WorkerConfig(
    Optional<String> workerId,
    ServerConfig server,
    TlsConfig tls,
    AuthConfig auth,
    TelemetryConfig telemetry,
    Model model,
    Engine engine,
    Scheduling scheduling,
    Optional<ByteSize> memory,
    KvCache kvCache,
    TritonConfig triton,
    AdminConfig admin,
    Optional<Path> portFile) {
  public WorkerConfig {
    if (engine.kind() == EngineKind.TRITON) {
      Checks.notBlank(
          "triton.model", triton.model(), "with engine.kind triton the model's name there");
    } else if (engine.runsOn() instanceof Device.Cuda) {
      checkGpu(engine.device(), model, memory.isPresent() || kvCache.memory().isPresent());
    }
  }

  private static void checkGpu(String device, Model model, boolean memorySaid) {
    if (model.quantization() == Quantization.INT8) {
      throw new IllegalArgumentException(
          "model.quantization: int8 (expected with engine.device "
              + device
              + ": none, int8-block or int4-block)");
    }
    if (!memorySaid) {
      throw new IllegalArgumentException(
          "memory: null (expected with engine.device "
              + device
              + ": how much of the GPU's memory to use, such as 20GiB)");
    }
  }

  /** What a worker does if nothing is said. */
  public static WorkerConfig defaults() {
    return new WorkerConfig(
        Optional.empty(),
        ServerConfig.defaults(9091),
        TlsConfig.NONE,
        AuthConfig.NONE,
        TelemetryConfig.defaults(9465),
        new Model("smollm2-135m", Optional.empty(), List.of(), Quantization.INT8, 0),
        new Engine(
            EngineKind.ONNX,
            new Device.Cpu().label(),
            HalfType.FLOAT16,
            CudaCache.HALF,
            Math.max(1, Runtime.getRuntime().availableProcessors()),
            64,
            512,
            1024,
            1 << 20,
            Duration.ofSeconds(1),
            8,
            false),
        new Scheduling(
            SchedulingPolicy.FAIR,
            Optional.empty(),
            Duration.ofSeconds(30),
            List.of(),
            Duration.ofSeconds(30)),
        Optional.empty(),
        new KvCache(Optional.empty(), KvType.BF16, true),
        TritonConfig.defaults(),
        AdminConfig.DEFAULTS,
        Optional.empty());
  }

  /**
   * What is served.
   *
   * @param name catalogue name, or path of a model file
   * @param id what requests call it; default: its catalogue name, or the file's name
   * @param aliases other names for it
   * @param quantization how weights are held
   * @param contextLength most tokens of a request; 0: what the model was trained for
   */
  public record Model(
      String name,
      Optional<String> id,
      List<String> aliases,
      Quantization quantization,
      int contextLength) {
    public Model {
      Checks.notBlank("name", name, "a catalogue name or the path of a model file");
      Checks.atLeast("context-length", contextLength, 0);
      aliases = List.copyOf(aliases);
    }
  }

  /**
   * How it is run.
   *
   * @param kind who computes: onnx, this process; or triton, a server that this one stands before
   * @param device cpu, or cuda:N for a GPU
   * @param gpuType what a GPU computes in, and holds what is not quantised in
   * @param gpuCache how a GPU holds K and V: in that type, or in 8 bits
   * @param threads threads that compute, 1 to 256
   * @param maxSequences requests in one step, 1 to 4096
   * @param maxBatchedTokens tokens computed in one step; at least max-sequences
   * @param maxWaitingRequests requests that may wait
   * @param maxWaitingTokens prompt tokens that may wait
   * @param retryAfter what a refused caller is told to wait
   * @param draftTokens most tokens of a stream that one step checks because they followed the same
   *     ones before, 0 to 64; 0 turns speculative decoding off
   * @param checkIntegrity whether the books of the KV cache are audited after every step
   */
  public record Engine(
      EngineKind kind,
      String device,
      HalfType gpuType,
      CudaCache gpuCache,
      int threads,
      int maxSequences,
      int maxBatchedTokens,
      int maxWaitingRequests,
      int maxWaitingTokens,
      Duration retryAfter,
      int draftTokens,
      boolean checkIntegrity) {
    public Engine {
      Device.parse(device);
      Checks.range("threads", threads, 1, 256);
      Checks.range("max-sequences", maxSequences, 1, 4096);
      Checks.range("max-batched-tokens", maxBatchedTokens, maxSequences, 1 << 16);
      Checks.atLeast("max-waiting-requests", maxWaitingRequests, 1);
      Checks.atLeast("max-waiting-tokens", maxWaitingTokens, 1);
      Checks.range("draft-tokens", draftTokens, 0, 64);
    }

    /** The device that {@link #device} names. */
    public Device runsOn() {
      return Device.parse(device);
    }
  }

  /**
   * Who is computed first, and how much at a time.
   *
   * @param policy fair: by priority, then by the tokens that each tenant was served; or fcfs: first
   *     come, first served
   * @param itlGoal inter-token latency that running streams shall keep; steps compute only as many
   *     prompt tokens as are predicted to fit it; default: as many as a step holds
   * @param ageing after which a tenant of which nothing was begun gets a turn before all others
   * @param weights shares of tenants, each as tenant=weight; 1 for those that are not named
   * @param stepLimit a step that takes longer makes the worker say that it does not serve
   */
  public record Scheduling(
      SchedulingPolicy policy,
      Optional<Duration> itlGoal,
      Duration ageing,
      List<String> weights,
      Duration stepLimit) {
    public Scheduling {
      weights = List.copyOf(weights);
      itlGoal.ifPresent(goal -> checkPositive("itl-goal", goal));
      checkPositive("ageing", ageing);
      checkPositive("step-limit", stepLimit);
      weights.forEach(Scheduling::weight);
    }

    /** These as the engine takes them. */
    public SchedulingConfig config() {
      Map<String, Double> shares = new HashMap<>();
      weights.forEach(text -> shares.put(text.substring(0, text.lastIndexOf('=')), weight(text)));
      return new SchedulingConfig(policy, itlGoal, ageing, shares);
    }

    private static double weight(String text) {
      int equals = text.lastIndexOf('=');
      try {
        double weight = equals < 1 ? Double.NaN : Double.parseDouble(text.substring(equals + 1));
        if (weight > 0 && !Double.isInfinite(weight)) {
          return weight;
        }
      } catch (NumberFormatException e) {
        throw wrongWeight(text, e);
      }
      throw wrongWeight(text, null);
    }

    private static IllegalArgumentException wrongWeight(String text, @Nullable Throwable cause) {
      return new IllegalArgumentException(
          "weights: " + text + " (expected: a tenant and a number above 0, such as gold=4)", cause);
    }

    private static void checkPositive(String name, Duration duration) {
      if (!duration.isPositive()) {
        throw new IllegalArgumentException(name + ": " + duration + " (expected: above 0)");
      }
    }
  }

  /**
   * Memory of the streams.
   *
   * @param memory size of the cache, at least 1 MiB; default: what the worker's memory leaves
   * @param type how keys and values are held
   * @param prefixCache whether what was computed for a request is kept for others that begin alike
   */
  public record KvCache(Optional<ByteSize> memory, KvType type, boolean prefixCache) {
    public KvCache {
      memory.ifPresent(size -> Checks.atLeast("memory", size, ByteSize.ofMiB(1)));
    }
  }
}
