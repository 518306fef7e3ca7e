package dev.sluice.worker.runner;

import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.graph.CudaGraphOptions;
import dev.sluice.worker.graph.DecoderGraph;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.ort.ElementType;
import dev.sluice.worker.ort.OrtAllocator;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.UUID;

/**
 * Runs a model on a GPU with ONNX Runtime's operators. Weights and KV cache stay in the GPU's
 * memory; a step copies a few integers to it and the logits back.
 *
 * <p>Threading: one step at a time, see {@link dev.sluice.worker.engine.ModelRunner}. Closing must
 * not meet a step.
 */
public final class CudaModelRunner implements DeviceRunner {
  private final Geometry geometry;
  private final MemoryPlan memoryPlan;
  private final CudaRunnerConfig config;
  private final String device;
  private final String numericsFingerprint;
  private final CloseStack resources;
  private final StepFrame frame;
  private final IntInput attentionMetadata;
  private final int[] bounds = new int[2]; // see CudaBackend

  private CudaModelRunner(
      Checkpoint checkpoint,
      CudaRunnerConfig config,
      String device,
      Accelerator accelerator,
      Optional<WeightsCache> cache,
      CloseStack resources) {
    this.config = config;
    this.device = device;
    this.resources = resources;
    // Kernels for GPUs may sum in an order that changes from process to process, so that no other
    // worker, and not this one after a restart, gives the same bits.
    this.numericsFingerprint = UUID.randomUUID().toString().replace("-", "");
    ModelConfig model = checkpoint.config();
    int maxContext = Math.min(config.maxContext(), model.maxContext());
    CudaGraphOptions options =
        new CudaGraphOptions(
            config.quantization(),
            config.type(),
            config.cache(),
            maxContext,
            accelerator.attentionDomain());
    DecoderGraph graph = DecoderGraph.build(model, options);
    this.memoryPlan =
        MemoryNeeds.gpu(
                model, graph.weights(), options, config.maxBatchedTokens(), config.maxSequences())
            .withUsableKvBytes(config.kvBytes());
    this.geometry =
        new Geometry(
            model.vocabularySize(),
            maxContext,
            memoryPlan.blockSize(),
            memoryPlan.blocks(),
            config.maxBatchedTokens(),
            config.maxSequences());

    OrtEnvironment environment = resources.push(OrtEnvironment.open(), OrtEnvironment::close);
    OrtSession session =
        resources.push(
            createSession(environment, accelerator, checkpoint, graph, config, cache),
            OrtSession::close);
    OrtAllocator memory = resources.push(accelerator.memory(session), OrtAllocator::close);
    this.frame = new StepFrame(environment, session, graph, geometry, resources);
    this.attentionMetadata =
        frame.input(graph.inputs().indexOf(DecoderGraph.ATTENTION_METADATA), bounds.length);
    allocateCache(memory, model);
  }

  /**
   * Loads a model; the checkpoint may be closed afterwards. Loads all or nothing.
   *
   * @param cache of converted weights
   * @throws DeviceException if there is no such GPU, or ONNX Runtime cannot use it
   * @throws dev.sluice.worker.ort.OrtException if ONNX Runtime refuses the model, or the GPU has
   *     not enough memory
   * @throws dev.sluice.worker.model.ModelFileException if a weight is missing
   * @throws IllegalArgumentException if the precision or the model is not for a GPU, or the KV
   *     cache cannot hold one block
   */
  public static CudaModelRunner load(
      Checkpoint checkpoint,
      CudaRunnerConfig config,
      Device.Cuda device,
      Optional<WeightsCache> cache) {
    return load(checkpoint, config, device.label(), new CudaDevice(device), cache);
  }

  static CudaModelRunner load(
      Checkpoint checkpoint,
      CudaRunnerConfig config,
      String device,
      Accelerator accelerator,
      Optional<WeightsCache> cache) {
    CloseStack resources = new CloseStack();
    try {
      return new CudaModelRunner(checkpoint, config, device, accelerator, cache, resources);
    } catch (RuntimeException | Error e) {
      resources.close();
      throw e;
    }
  }

  /**
   * Asks whether a device can be had, before anything is loaded.
   *
   * @throws DeviceException if it cannot
   */
  public static void check(Device.Cuda device) {
    try (OrtEnvironment _ = OrtEnvironment.open();
        OrtSessionOptions options = OrtSessionOptions.create(1)) {
      new CudaDevice(device).addTo(options);
    }
  }

  private static OrtSession createSession(
      OrtEnvironment environment,
      Accelerator accelerator,
      Checkpoint checkpoint,
      DecoderGraph graph,
      CudaRunnerConfig config,
      Optional<WeightsCache> cache) {
    try (OrtSessionOptions options = OrtSessionOptions.create(config.threads())) {
      accelerator.addTo(options); // fails at once if there is no GPU
      try (WeightLoader weights =
          WeightLoader.load(
              cache, environment, checkpoint, config.quantization(), graph.weights())) {
        weights.addTo(options);
        return OrtSession.create(environment, graph.model(), options);
      }
    }
  }

  private void allocateCache(OrtAllocator memory, ModelConfig model) {
    ElementType type = config.cache().elementType(config.type());
    for (int cache = 0; cache < 2 * model.layers(); cache++) {
      OrtTensor tensor =
          memory.allocate(
              type, geometry.blocks(), geometry.blockSize(), model.kvHeads(), model.headSize());
      resources.push(tensor, OrtTensor::close);
      frame.setInput(DecoderGraph.FIRST_CACHE + cache, tensor);
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
    return "onnxruntime " + OrtEnvironment.version() + " CUDA";
  }

  @Override
  public String device() {
    return device;
  }

  @Override
  public String kvType() {
    return config.kvType();
  }

  @Override
  public void warmUp() {
    new WarmUp(this).run();
  }

  @Override
  public boolean copiesBlocks() {
    return false;
  }

  @Override
  public void execute(StepBatch batch) {
    bounds[0] = 0;
    bounds[1] = 0;
    for (int sequence = 0; sequence < batch.sequences(); sequence++) {
      int tokens = batch.cumulativeLengths()[sequence + 1] - batch.cumulativeLengths()[sequence];
      bounds[0] = Math.max(bounds[0], tokens);
      bounds[1] = Math.max(bounds[1], batch.pastLengths()[sequence] + tokens);
    }
    attentionMetadata.setVector(bounds, bounds.length);
    frame.execute(batch);
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
