package dev.sluice.worker.constraint;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.error.RefusalException;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.common.tokenizer.TokenizerException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compiles the constraints of a model's requests, each once, one at a time, and finds the masks
 * that come first while nobody waits.
 *
 * <p>Threading: any thread; none blocks. The work is done by one thread of its own, {@code
 * constraint}, so that however hard a constraint is, other requests lose nothing but that thread's
 * share of the processor, and only requests with constraints wait for it.
 */
public final class Constraints implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Constraints.class);

  /** Constraints that wait to be compiled. */
  private static final int MAX_WAITING = 256;

  /** Memory of all compiled constraints, about. */
  private static final long MAX_BYTES = 128L << 20;

  /** Masks that are found ahead. */
  private static final int PREPARED_MASKS = 64;

  private final TokenizerBundle bundle;
  private final CompileLimits limits;
  private final ConstraintCache cache = new ConstraintCache(MAX_BYTES);
  private final ThreadPoolExecutor executor;
  private final AtomicInteger pending = new AtomicInteger();
  private @Nullable ConstraintCompiler compiler; // of the thread's own

  /**
   * @param bundle says what bytes tokens are; read with the first constraint
   */
  public Constraints(TokenizerBundle bundle) {
    this(bundle, CompileLimits.defaults());
  }

  Constraints(TokenizerBundle bundle, CompileLimits limits) {
    this.bundle = bundle;
    this.limits = limits;
    this.executor =
        new ThreadPoolExecutor(
            1,
            1,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform().daemon().name("constraint").factory());
    executor.allowCoreThreadTimeOut(true);
  }

  /**
   * Begins to compile a constraint, or finds it compiled.
   *
   * @throws RefusalException if too many wait already
   */
  public Compilation begin(ConstraintSource source) {
    Compilation compilation = new Compilation();
    Optional<Constraint> known = cache.get(source);
    if (known.isPresent()) {
      compilation.complete(known.get());
      return compilation;
    }
    pending.incrementAndGet();
    try {
      executor.execute(() -> compile(source, compilation));
    } catch (RejectedExecutionException e) {
      pending.decrementAndGet();
      throw new RefusalException(
          new Refusal.Overloaded(
              "CONSTRAINT_QUEUE_FULL",
              "constraints that wait to be compiled: "
                  + MAX_WAITING
                  + " (expected: fewer than "
                  + MAX_WAITING
                  + ")",
              Duration.ofSeconds(1),
              Map.of("max_waiting", Integer.toString(MAX_WAITING))));
    }
    return compilation;
  }

  private void compile(ConstraintSource source, Compilation compilation) {
    try {
      Optional<Constraint> made = compileNew(source, compilation);
      pending.decrementAndGet();
      if (made.isPresent()) {
        made.get().prepare(PREPARED_MASKS, () -> executor.getQueue().isEmpty());
      }
    } catch (Throwable e) {
      log.error("The masks of a constraint could not be found", e);
    }
  }

  /** Completes a compilation, and returns its constraint if it was not known before. */
  private Optional<Constraint> compileNew(ConstraintSource source, Compilation compilation) {
    if (compilation.isOver()) {
      return Optional.empty();
    }
    try {
      Optional<Constraint> known = cache.get(source); // by a request before it in the queue
      if (known.isPresent()) {
        compilation.complete(known.get());
        return Optional.empty();
      }
      Constraint constraint = compiler().compile(source, compilation::isOver);
      cache.put(source, constraint);
      compilation.complete(constraint);
      return Optional.of(constraint);
    } catch (RefusalException | CancellationException e) {
      compilation.fail(e);
    } catch (Throwable e) {
      log.error("A constraint could not be compiled", e);
      compilation.fail(e);
    }
    return Optional.empty();
  }

  private ConstraintCompiler compiler() {
    ConstraintCompiler made = compiler;
    if (made == null) {
      try {
        made = new ConstraintCompiler(Vocabulary.read(bundle), limits);
      } catch (TokenizerException e) {
        throw new RefusalException(
            new Refusal.Unserviceable(
                "CONSTRAINTS_UNSUPPORTED",
                "constraint: not supported with this model's tokenizer; " + e.getMessage(),
                Map.of()));
      }
      compiler = made;
    }
    return made;
  }

  /** Constraints that wait to be compiled, or are just now. */
  public int pending() {
    return pending.get();
  }

  /** Gives up what waits. */
  @Override
  public void close() {
    executor.shutdownNow();
  }
}
