package dev.sluice.router.http;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.error.Statuses;
import dev.sluice.router.edge.Fields;
import dev.sluice.v1.GenerateRequest;
import io.grpc.Channel;
import io.grpc.StatusRuntimeException;
import java.time.Clock;
import java.util.concurrent.Executor;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The endpoints that need a model: from a body to running calls.
 *
 * <p>Threading: any event loop; bodies are read and translated on threads that may wait, calls run
 * on the event loop of their exchange.
 */
final class Generating {
  private static final Logger log = LoggerFactory.getLogger(Generating.class);

  private final Channel channel;
  private final Requests requests;
  private final Executor translators;
  private final Clock clock;
  private final RandomGenerator random;

  /**
   * @param translators run tasks that may wait; refuse them when the router stops
   * @param random makes up ids; must be thread-safe
   */
  Generating(
      Channel channel,
      Requests requests,
      Executor translators,
      Clock clock,
      RandomGenerator random) {
    this.channel = channel;
    this.requests = requests;
    this.translators = translators;
    this.clock = clock;
    this.random = random;
  }

  /** Makes an answer of a body; may wait. */
  interface Translation {
    /** What is to be done on the event loop. */
    Runnable translate(byte[] body);
  }

  /**
   * Answers a body.
   *
   * @param rules what requests become of this caller, or RefusalException
   */
  void generate(Exchange exchange, Shape shape, byte[] body, UnaryOperator<GenerateRequest> rules) {
    translate(exchange, body, bytes -> generation(exchange, shape, bytes, rules));
  }

  private Runnable generation(
      Exchange exchange, Shape shape, byte[] body, UnaryOperator<GenerateRequest> rules) {
    RequestContext context =
        RequestContext.of(exchange, shape, clock.instant().getEpochSecond(), random);
    Fields fields = Json.object(body);
    ApiRequest translated =
        switch (shape) {
          case CHAT -> requests.chat(fields, context);
          case TEXT -> requests.completion(fields, context);
        };
    ApiRequest request =
        new ApiRequest(translated.calls().stream().map(rules).toList(), translated.reply());
    return () -> {
      exchange.answerHeader("X-Request-Id", context.id());
      Answer answer =
          request.reply().stream()
              ? new StreamedAnswer(exchange, request.reply())
              : new WholeAnswer(exchange, request.reply());
      new Generation(channel, exchange, request, answer)
          .start(context.callOptions(), context::headers);
    };
  }

  /** Runs a translation where it may wait, and what comes of it on the event loop. */
  void translate(Exchange exchange, byte[] body, Translation translation) {
    translators.execute(() -> {
      Runnable next;
      try {
        next = translation.translate(body);
      } catch (RefusalException e) {
        next = () -> exchange.fail(ApiError.of(e.refusal()));
      } catch (StatusRuntimeException e) {
        ApiError error = ApiError.of(e.getStatus(), Statuses.trailers(e));
        next = () -> exchange.fail(error);
      } catch (RuntimeException e) {
        log.error("an HTTP request could not be translated", e);
        next = () -> exchange.fail(ApiError.internal());
      }
      exchange.loop().execute(next);
    });
  }
}
