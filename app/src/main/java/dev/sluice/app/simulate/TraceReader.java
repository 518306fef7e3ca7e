package dev.sluice.app.simulate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.app.cli.UsageException;
import dev.sluice.worker.simulation.Arrival;
import dev.sluice.worker.simulation.Simulation;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * A trace, read line by line as it is needed: the format of the traces that Mooncake published,
 * with the fields of requests that matter to a scheduler.
 *
 * <pre>
 *   {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47],
 *    "tenant": "gold", "priority": 1, "ttft_target_ms": 500, "timeout_ms": 60000}
 *   timestamp  milliseconds since the start, in ascending order
 *   hash_ids   one for every 512 tokens of the prompt; the same ids are the same tokens
 *   tenant, priority, ttft_target_ms, timeout_ms, hash_ids are optional
 * </pre>
 *
 * <p>Threading: confined to its owner, who closes it.
 */
final class TraceReader implements Iterator<Arrival>, AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOKENS_PER_HASH = 512;
  private static final int LONGEST = 1 << 20;
  private static final double NANOS_PER_MILLI = 1e6;

  private final Path file;
  private final BufferedReader reader;
  private final long most;
  private final double speed;
  private final Extras extras;
  private @Nullable String line;
  private long lines;
  private long read;
  private long lastNanos;

  /** What requests have that do not say. */
  record Extras(OptionalLong ttftTargetNanos, OptionalLong timeoutNanos) {}

  private TraceReader(Path file, BufferedReader reader, long most, double speed, Extras extras)
      throws IOException {
    this.file = file;
    this.reader = reader;
    this.most = most;
    this.speed = speed;
    this.extras = extras;
    advance();
  }

  /**
   * Opens a trace.
   *
   * @param most requests that are read
   * @param speed how many times as fast as recorded they come
   * @throws UsageException if it cannot be read
   */
  static TraceReader open(Path file, long most, double speed, Extras extras) {
    try {
      TraceReader trace = new TraceReader(file, Files.newBufferedReader(file), most, speed, extras);
      if (!trace.hasNext()) {
        trace.close();
        throw new UsageException(file + ": empty (expected: lines of JSON)");
      }
      return trace;
    } catch (IOException e) {
      throw new UsageException(file + ": cannot be read: " + e, e);
    }
  }

  @Override
  public boolean hasNext() {
    return line != null && read < most;
  }

  @Override
  public Arrival next() {
    String text = line;
    if (text == null || read >= most) {
      throw new NoSuchElementException();
    }
    Arrival arrival = arrival(text);
    read++;
    try {
      advance();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return arrival;
  }

  private void advance() throws IOException {
    do {
      line = reader.readLine();
      lines++;
    } while (line != null && line.isBlank());
  }

  private Arrival arrival(String text) {
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw wrong(e.getOriginalMessage());
    }
    double millis = number(json, "timestamp", 0, Double.MAX_VALUE, OptionalLong.empty());
    long nanos = (long) (millis * NANOS_PER_MILLI / speed);
    if (nanos < lastNanos) {
      throw wrong("timestamp: " + millis + " (expected: not before the line above)");
    }
    lastNanos = nanos;
    int length = (int) number(json, "input_length", 1, LONGEST, OptionalLong.empty());
    return new Arrival(
        nanos,
        prompt(json.path("hash_ids"), length),
        (int) number(json, "output_length", 1, LONGEST, OptionalLong.empty()),
        json.path("tenant").asText("default"),
        (int) number(json, "priority", -100, 100, OptionalLong.of(0)),
        nanos(json, "ttft_target_ms", extras.ttftTargetNanos),
        nanos(json, "timeout_ms", extras.timeoutNanos));
  }

  private int[] prompt(JsonNode hashIds, int length) {
    int[] prompt = new int[length];
    int filled = 0;
    for (int i = 0; i < hashIds.size() && filled < length; i++) {
      SplittableRandom random = new SplittableRandom(-1 - hashIds.get(i).asLong());
      int end = Math.min(length, filled + TOKENS_PER_HASH);
      while (filled < end) {
        prompt[filled++] = random.nextInt(Simulation.VOCABULARY);
      }
    }
    SplittableRandom random = new SplittableRandom(read);
    while (filled < length) {
      prompt[filled++] = random.nextInt(Simulation.VOCABULARY);
    }
    return prompt;
  }

  private OptionalLong nanos(JsonNode json, String key, OptionalLong otherwise) {
    return json.has(key)
        ? OptionalLong.of(
            (long) (number(json, key, 0.001, 1e9, OptionalLong.empty()) * NANOS_PER_MILLI))
        : otherwise;
  }

  private double number(
      JsonNode json, String key, double least, double most, OptionalLong otherwise) {
    JsonNode value = json.path(key);
    if (value.isMissingNode() && otherwise.isPresent()) {
      return otherwise.getAsLong();
    }
    if (!value.isNumber() || value.asDouble() < least || value.asDouble() > most) {
      throw wrong(
          "%s: %s (expected: a number from %s to %s)"
              .formatted(key, value.isMissingNode() ? "missing" : value, least, most));
    }
    return value.asDouble();
  }

  private UsageException wrong(String what) {
    return new UsageException(file + ", line " + lines + ": " + what);
  }

  @Override
  public void close() throws IOException {
    reader.close();
  }
}
