package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Initializer;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.graph.Weight;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtSessionOptions;
import dev.sluice.worker.ort.OrtTensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives a session that is being made the content of its initializers: from the {@link WeightsCache}
 * if there is one, else from memory, which ONNX Runtime copies. Closed when the session is made.
 *
 * <p>Threading: confined to its owner; weights are converted on the common pool.
 */
final class WeightLoader implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(WeightLoader.class);

  /** What being converted may take at a time, as a part of all weights. */
  private static final int SCRATCH_PART = 8;

  private static final long PERMIT_BYTES = 1 << 20;

  private final Arena arena = Arena.ofShared();
  private final Optional<WeightsCache.Lease> lease;
  private final Map<String, OrtTensor> tensors = new LinkedHashMap<>();

  private WeightLoader(Optional<WeightsCache.Lease> lease) {
    this.lease = lease;
  }

  /**
   * Converts all weights, or finds them converted.
   *
   * @throws dev.sluice.worker.model.ModelFileException if one is missing or has another size
   */
  static WeightLoader load(
      Optional<WeightsCache> cache,
      OrtEnvironment environment,
      Checkpoint checkpoint,
      Quantization quantization,
      List<Weight> weights) {
    if (cache.isPresent()) {
      try {
        return new WeightLoader(Optional.of(cache.get().take(checkpoint, quantization, weights)));
      } catch (IOException e) {
        log.warn(
            "converted weights cannot be kept: {}; every start converts them, in twice the memory",
            e.toString());
      }
    }
    WeightLoader loader = new WeightLoader(Optional.empty());
    try {
      loader.convert(environment, checkpoint, weights);
      return loader;
    } catch (RuntimeException | Error e) {
      loader.close();
      throw e;
    }
  }

  private void convert(OrtEnvironment environment, Checkpoint checkpoint, List<Weight> weights) {
    List<Runnable> work = new ArrayList<>();
    for (Weight weight : weights) {
      List<MemorySegment> targets = new ArrayList<>();
      for (Initializer initializer : weight.initializers()) {
        long[] shape = initializer.shape().stream().mapToLong(Long::longValue).toArray();
        MemorySegment memory = arena.allocate(initializer.bytes(), Initializer.ALIGNMENT);
        tensors.put(
            initializer.name(), OrtTensor.of(environment, initializer.type(), memory, shape));
        targets.add(memory);
      }
      work.add(() -> weight.read(checkpoint, targets));
    }
    work.parallelStream().forEach(Runnable::run);
  }

  /** Lets a session that is made with the options have the weights. */
  void addTo(OrtSessionOptions options) {
    lease.ifPresent(l -> options.externalInitializersFolder(l.folder()));
    options.addExternalInitializers(tensors);
  }

  @Override
  public void close() {
    tensors.values().forEach(OrtTensor::close);
    arena.close();
    lease.ifPresent(WeightsCache.Lease::close);
  }

  /**
   * Converts all weights to a file, some at a time, so that memory is needed only for these.
   *
   * @throws dev.sluice.worker.model.ModelFileException if one is missing or has another size
   */
  static void write(Checkpoint checkpoint, WeightsLayout layout, FileChannel channel)
      throws IOException {
    int permits = permits(layout.bytes() / SCRATCH_PART);
    Semaphore memory = new Semaphore(permits);
    try {
      layout.places().parallelStream()
          .forEach(place -> {
            // One that is larger than all that is allowed is converted alone.
            int needed = Math.min(permits, permits(scratchBytes(place)));
            memory.acquireUninterruptibly(needed);
            try {
              write(checkpoint, place, channel);
            } finally {
              memory.release(needed);
            }
          });
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static int permits(long bytes) {
    return (int) Math.min(Integer.MAX_VALUE, 1 + bytes / PERMIT_BYTES);
  }

  /** The content and the checkpoint's weight in float32, from which most are made. */
  private static long scratchBytes(WeightsLayout.Place place) {
    long elements =
        place.weight().initializers().stream()
            .mapToLong(i -> i.bytes() / i.type().bytes())
            .max()
            .orElse(0);
    return place.bytes() + elements * Float.BYTES;
  }

  private static void write(Checkpoint checkpoint, WeightsLayout.Place place, FileChannel channel) {
    try (Arena arena = Arena.ofShared()) {
      List<MemorySegment> targets =
          place.weight().initializers().stream()
              .map(i -> arena.allocate(i.bytes(), Initializer.ALIGNMENT))
              .toList();
      place.weight().read(checkpoint, targets);
      for (int i = 0; i < targets.size(); i++) {
        WeightsFile.writeFully(channel, place.offsets().get(i), targets.get(i));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
