package dev.sluice.worker.engine;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Runs many generation tasks at once on one model: continuous batching over a paged KV cache.
 *
 * <p>Threading: every method can be called by any thread and none but {@link #close} blocks. All
 * work happens on one thread of the engine's own, {@code engine}; see {@link EngineLoop}.
 */
public final class Engine implements GenerationEngine {
  private final ModelRunner.Geometry geometry;
  private final int tokenCount; // those that can be chosen
  private final boolean copiesBlocks;
  private final boolean prefixCache;
  private final CacheJournal journal = new CacheJournal();
  private final NanoClock clock;
  private final Intake intake;
  private final EngineLoop loop;
  private final Thread thread;
  private final AtomicLong serials = new AtomicLong();

  /**
   * @param runner stays the caller's, who closes it after the engine
   */
  public Engine(ModelRunner runner, EngineConfig config, NanoClock clock, EngineObserver observer) {
    this.geometry = runner.geometry();
    this.tokenCount = Math.min(config.tokens(), geometry.vocabularySize());
    this.copiesBlocks = runner.copiesBlocks();
    this.prefixCache = config.prefixCache();
    this.clock = clock;
    this.intake = new Intake(config);
    this.loop = new EngineLoop(runner, config, clock, observer, intake, journal);
    this.thread = Thread.ofPlatform().name("engine").unstarted(loop);
  }

  @Override
  public void start() {
    thread.start();
  }

  /**
   * Instead of {@link #start}, always by the same thread: takes what was submitted and computes one
   * step.
   *
   * @return whether there was anything to do
   */
  public boolean step() {
    return loop.turn();
  }

  @Override
  public TaskHandle submit(GenerationTask task, GenerationListener listener) {
    long now = clock.nanos();
    Refusals.checkDeadline(task, now);
    int maxTokens = outputLimit(task);
    long serial = serials.getAndIncrement();
    // Every row of a prompt is needed to score it. Without a cache the choices of a request still
    // share what they have in common.
    boolean shares = prefixCache && task.promptLogprobs().isEmpty();
    String salt = shares ? task.cacheSalt() : "\0" + serial;
    Request request =
        new Request(
            task, listener, maxTokens, serial, now, new BlockHashes(salt, geometry.blockSize()));
    intake.submit(request);
    return request;
  }

  /** As declared; its blocks are freed within one step. */
  @Override
  public void cancel(TaskHandle handle) {
    Request request = (Request) handle;
    if (request.cancelSent.compareAndSet(false, true)) {
      intake.send(new EngineCommand.Cancel(request));
    }
  }

  /** As declared; its blocks are freed within one step. */
  @Override
  public void stop(TaskHandle handle, int choice, int keptTokens) {
    Sequence sequence = ((Request) handle).sequence(choice);
    if (sequence.stopSent.compareAndSet(false, true)) {
      intake.send(new EngineCommand.Stop(sequence, keptTokens));
    }
  }

  @Override
  public boolean obeysConstraints() {
    return true;
  }

  @Override
  public void drain(Duration grace) {
    intake.drain(true, new EngineCommand.Drain(clock.nanos() + grace.toNanos()));
  }

  @Override
  public void undrain() {
    intake.drain(false, new EngineCommand.Undrain());
  }

  @Override
  public boolean close(Duration grace) throws InterruptedException {
    intake.close(new EngineCommand.Close(clock.nanos() + grace.toNanos()));
    if (thread.getState() == Thread.State.NEW) {
      thread.start(); // to end the tasks that wait
    }
    return thread.join(grace.plusSeconds(5));
  }

  @Override
  public CacheJournal cacheJournal() {
    return journal;
  }

  /** As declared, as it is between two steps. */
  @Override
  public CompletableFuture<CacheContent> cacheContent() {
    CompletableFuture<CacheContent> content = new CompletableFuture<>();
    intake.send(new EngineCommand.ListCache(content));
    return content;
  }

  /** As declared: each of them gets a token in every step. */
  @Override
  public CompletableFuture<List<String>> decodingRequestIds() {
    CompletableFuture<List<String>> requestIds = new CompletableFuture<>();
    intake.send(new EngineCommand.ListDecoding(requestIds));
    return requestIds;
  }

  @Override
  public EngineSnapshot snapshot() {
    return loop.snapshot();
  }

  /** Most output tokens of a task, so that its worst case fits context and pool. */
  private int outputLimit(GenerationTask task) {
    int prompt = task.promptLength();
    int contextRoom = Refusals.contextRoom(task, prompt, geometry.maxContext());
    task.firstTokenOutside(geometry.vocabularySize())
        .ifPresent(id -> {
          throw RefusalException.invalid(
              "token id", id + " (expected: 0 to " + (geometry.vocabularySize() - 1) + ")");
        });
    int[] early = task.minTokens() > 0 ? task.endings() : new int[0];
    if (!task.sampling().rules().leaveAny(tokenCount, early)) {
      throw RefusalException.invalid(
          "sampling.allowed_token_ids",
          "every token is banned, by sampling.banned_token_ids or before stopping.min_tokens"
              + " (expected: at least one that can be chosen)");
    }
    int resumed = task.longestResumed();
    if (resumed > task.maxTokens().orElse(contextRoom)) {
      throw RefusalException.invalid(
          "hop.resume.choices",
          resumed
              + " output tokens (expected: at most "
              + task.maxTokens().orElse(contextRoom)
              + ")");
    }
    if (task.beam().isPresent() && !copiesBlocks) {
      throw new RefusalException(
          new Refusal.Unimplemented("beam", "beam: not on this worker's device"));
    }
    if (task.choices() > geometry.maxSequences()) {
      throw new RefusalException(tooManyChoices(task.choices()));
    }
    // The choices share the prompt's full blocks. The last output token is never computed, so it
    // needs no place in the cache.
    int shared = prompt / geometry.blockSize();
    long perChoice = shared + Math.floorDiv((long) geometry.blocks() - shared, task.choices());
    long poolRoom = perChoice * geometry.blockSize() + 1 - prompt;
    if (task.maxTokens().orElse(1) > poolRoom) {
      throw new RefusalException(exceedsPool(task, poolRoom + prompt));
    }
    return task.maxTokens().orElse((int) Math.min(contextRoom, poolRoom));
  }

  private static Refusal exceedsPool(GenerationTask task, long poolTokens) {
    int prompt = task.promptLength();
    int output = task.maxTokens().orElse(1);
    return new Refusal.Unserviceable(
        "EXCEEDS_KV_POOL",
        prompt
            + " prompt tokens and up to "
            + output
            + " output tokens"
            + (task.choices() > 1 ? " in each of " + task.choices() + " choices" : "")
            + " (expected: at most "
            + poolTokens
            + " together, which is what the KV cache holds)",
        Map.of(
            "prompt_tokens", Integer.toString(prompt),
            "max_output_tokens", Integer.toString(output),
            "choices", Integer.toString(task.choices()),
            "pool_tokens", Long.toString(poolTokens)));
  }

  private Refusal tooManyChoices(int choices) {
    return new Refusal.Unserviceable(
        "EXCEEDS_MAX_SEQUENCES",
        choices
            + " choices (expected: at most "
            + geometry.maxSequences()
            + ", the sequences that run at the same time)",
        Map.of(
            "choices", Integer.toString(choices),
            "max_sequences", Integer.toString(geometry.maxSequences())));
  }
}
