package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.graph.DecoderGraph;
import dev.sluice.worker.graph.GraphOptions;
import dev.sluice.worker.graph.IntegerWeights;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.kernel.KvTensor;
import dev.sluice.worker.kernel.KvType;
import dev.sluice.worker.kernel.PagedAttentionOp;
import dev.sluice.worker.kernel.RowOps;
import dev.sluice.worker.kernel.SwiGluOp;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.CustomOp;
import dev.sluice.worker.ort.CustomOpDomain;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtException;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Runs a model on the CPU with ONNX Runtime, attention and activation in Java.
 *
 * <p>Threading: one step at a time, see {@link ModelRunner}; a step uses ONNX Runtime's threads.
 * Closing must not meet a step.
 */
public final class OrtModelRunner implements DeviceRunner {
  /**
   * How long idle threads of ONNX Runtime spin: longer than the engine takes between two steps, so
   * that they need no waking while tokens flow; then they leave the processor to others.
   */
  private static final String SPIN_MICROS = "1000";

  private final Geometry geometry;
  private final MemoryPlan memoryPlan;
  private final String numericsFingerprint;
  private final KvType kvType;
  private final CloseStack resources;
  private final StepFrame frame;
  private final List<MemorySegment> cacheData = new ArrayList<>(); // each [blocks, block bytes]

  private OrtModelRunner(
      Checkpoint checkpoint,
      OrtModelRunnerConfig config,
      Optional<WeightsCache> cache,
      CloseStack resources) {
    this.resources = resources;
    this.kvType = config.kvType();
    ModelConfig model = checkpoint.config();
    int maxContext = Math.min(config.maxContext(), model.maxContext());
    OrtEnvironment environment = resources.push(OrtEnvironment.open(), OrtEnvironment::close);
    IntegerWeights integerWeights =
        config.quantization() == Quantization.INT8
            ? IntegerSelfTest.choose(environment, config.threads())
            : IntegerWeights.SIGNED;
    GraphOptions options =
        new GraphOptions(
            config.quantization(), integerWeights, kvType, maxContext, config.blockSize());
    DecoderGraph graph = DecoderGraph.build(model, options);
    this.memoryPlan =
        MemoryNeeds.cpu(
                model, graph.weights(), options, config.maxBatchedTokens(), config.maxSequences())
            .withUsableKvBytes(config.kvBytes());
    this.geometry =
        new Geometry(
            model.vocabularySize(),
            maxContext,
            config.blockSize(),
            memoryPlan.blocks(),
            config.maxBatchedTokens(),
            config.maxSequences());

    this.numericsFingerprint = NumericsFingerprint.of(checkpoint, config);
    CustomOpDomain domain =
        resources.push(new CustomOpDomain("sluice", operators(config)), CustomOpDomain::close);
    OrtSession session =
        resources.push(
            createSession(environment, domain, checkpoint, graph, config, cache),
            OrtSession::close);
    this.frame = new StepFrame(environment, session, graph, geometry, resources);
    allocateCache(environment, model);
  }

  /**
   * Loads a model; the checkpoint may be closed afterwards. Loads all or nothing.
   *
   * @throws OrtException if ONNX Runtime cannot be loaded or refuses the model
   * @throws dev.sluice.worker.model.ModelFileException if a weight is missing
   * @throws IllegalArgumentException if the KV cache cannot hold one sequence of one block
   */
  public static OrtModelRunner load(Checkpoint checkpoint, OrtModelRunnerConfig config) {
    return load(checkpoint, config, Optional.empty());
  }

  /**
   * Loads a model as {@link #load(Checkpoint, OrtModelRunnerConfig)} does, with its weights from a
   * cache.
   */
  public static OrtModelRunner load(
      Checkpoint checkpoint, OrtModelRunnerConfig config, Optional<WeightsCache> cache) {
    CloseStack resources = new CloseStack();
    try {
      return new OrtModelRunner(checkpoint, config, cache, resources);
    } catch (RuntimeException | Error e) {
      resources.close();
      throw e;
    }
  }

  private static List<CustomOp> operators(OrtModelRunnerConfig config) {
    int threads = config.threads();
    List<CustomOp> operators = new ArrayList<>(RowOps.all(threads));
    operators.add(new PagedAttentionOp(config.kvType(), threads));
    operators.add(new SwiGluOp(threads));
    return operators;
  }

  private static OrtSession createSession(
      OrtEnvironment environment,
      CustomOpDomain domain,
      Checkpoint checkpoint,
      DecoderGraph graph,
      OrtModelRunnerConfig config,
      Optional<WeightsCache> cache) {
    try (WeightLoader weights =
            WeightLoader.load(
                cache, environment, checkpoint, config.quantization(), graph.weights());
        OrtSessionOptions options = OrtSessionOptions.create(config.threads())) {
      options.add(domain);
      options.set("session.intra_op.spin_duration_us", SPIN_MICROS);
      weights.addTo(options);
      return OrtSession.create(environment, graph.model(), options);
    }
  }

  private void allocateCache(OrtEnvironment environment, ModelConfig model) {
    List<KvTensor> caches = kvType.tensors(model.kvHeads(), model.headSize(), geometry.blockSize());
    int input = DecoderGraph.FIRST_CACHE;
    for (int layer = 0; layer < model.layers(); layer++) {
      for (KvTensor cache : caches) {
        long[] shape =
            LongStream.concat(
                    LongStream.of(geometry.blocks()),
                    cache.blockShape().stream().mapToLong(Long::longValue))
                .toArray();
        OrtTensor tensor = OrtTensor.allocate(environment, cache.type(), shape);
        frame.setInput(input++, resources.push(tensor, OrtTensor::close));
        cacheData.add(tensor.data());
      }
    }
  }

  @Override
  public Geometry geometry() {
    return geometry;
  }

  @Override
  public MemoryPlan memoryPlan() {
    return memoryPlan;
  }

  @Override
  public String numericsFingerprint() {
    return numericsFingerprint;
  }

  @Override
  public String runtimeVersion() {
    return "onnxruntime " + OrtEnvironment.version();
  }

  @Override
  public String device() {
    return new Device.Cpu().label();
  }

  @Override
  public String kvType() {
    return kvType.label();
  }

  @Override
  public void warmUp() {
    new WarmUp(this).run();
  }

  @Override
  public boolean copiesBlocks() {
    return true;
  }

  @Override
  public void execute(StepBatch batch) {
    for (int copy = 0; copy < batch.copies(); copy++) {
      copyBlock(batch.copyFrom(copy), batch.copyTo(copy));
    }
    frame.execute(batch);
  }

  private void copyBlock(int from, int to) {
    for (int i = 0; i < cacheData.size(); i++) {
      MemorySegment cache = cacheData.get(i);
      long bytes = cache.byteSize() / geometry.blocks();
      MemorySegment.copy(cache, from * bytes, cache, to * bytes, bytes);
    }
  }

  @Override
  public MemorySegment logits() {
    return frame.logits();
  }

  @Override
  public void close() {
    resources.close();
  }
}
