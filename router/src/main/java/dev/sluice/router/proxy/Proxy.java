package dev.sluice.router.proxy;

import dev.sluice.common.error.Refusal;
import dev.sluice.common.telemetry.Telemetry;
import dev.sluice.router.admission.Admission;
import dev.sluice.router.fleet.Fleet;
import dev.sluice.router.page.RequestLog;
import dev.sluice.router.policy.Selector;
import dev.sluice.router.prompt.Prompts;
import dev.sluice.v1.DetokenizeRequest;
import dev.sluice.v1.GenerationServiceGrpc;
import dev.sluice.v1.TokenizeRequest;
import io.grpc.ServerMethodDefinition;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * Passes the calls of GenerationService on to workers.
 *
 * <p>Threading: any thread. Each call is driven by its own {@link ForwardedCall}; shared are only
 * the fleet's snapshot, the selector, the retry budget, and the set of open calls.
 */
public final class Proxy {
  private final Fleet fleet;
  private final Selector selector;
  private final ProxyOptions options;
  private final Admission admission;
  private final Tracing tracing;
  private final ProxyMetrics metrics;
  private final LongSupplier nanoClock;
  private final Preparation preparation;
  private final RequestLog requests;
  private final RetryBudget retryBudget;
  private final Set<ForwardedCall<?>> open = ConcurrentHashMap.newKeySet();

  /**
   * @param nanoClock monotonic time, nanoseconds
   * @param random makes up seeds and request ids; must be thread-safe
   * @param prompts tokenizes
   * @param requests remembers those that ended, for the live page
   */
  public Proxy(
      Fleet fleet,
      Selector selector,
      ProxyOptions options,
      Admission admission,
      Telemetry telemetry,
      LongSupplier nanoClock,
      RandomGenerator random,
      Prompts prompts,
      RequestLog requests) {
    this.fleet = fleet;
    this.selector = selector;
    this.options = options;
    this.admission = admission;
    this.tracing = new Tracing(telemetry);
    this.metrics = new ProxyMetrics(telemetry.meter(), fleet);
    this.nanoClock = nanoClock;
    this.preparation = new Preparation(random, prompts);
    this.requests = requests;
    this.retryBudget = new RetryBudget(options.retryPercent());
  }

  /** The rpcs that are passed on. */
  public List<ServerMethodDefinition<?, ?>> methods() {
    return List.of(
        define(new GenerateMethod()),
        define(new GenerateOnceMethod()),
        define(
            new PlainMethod<>(
                GenerationServiceGrpc.getTokenizeMethod(), "tokenize", TokenizeRequest::getModel)),
        define(
            new PlainMethod<>(
                GenerationServiceGrpc.getDetokenizeMethod(),
                "detokenize",
                DetokenizeRequest::getModel)));
  }

  /** Ends all open calls with a refusal. */
  public void abort(Refusal refusal) {
    open.forEach(call -> call.abort(refusal));
  }

  private <R> ServerMethodDefinition<R, byte[]> define(ForwardedMethod<R> method) {
    return ServerMethodDefinition.create(method.descriptor(), new Intake<>(this, method));
  }

  Fleet fleet() {
    return fleet;
  }

  Selector selector() {
    return selector;
  }

  ProxyOptions options() {
    return options;
  }

  Admission admission() {
    return admission;
  }

  Tracing tracing() {
    return tracing;
  }

  ProxyMetrics metrics() {
    return metrics;
  }

  LongSupplier nanoClock() {
    return nanoClock;
  }

  Preparation preparation() {
    return preparation;
  }

  RequestLog requests() {
    return requests;
  }

  RetryBudget retryBudget() {
    return retryBudget;
  }

  Set<ForwardedCall<?>> open() {
    return open;
  }
}
