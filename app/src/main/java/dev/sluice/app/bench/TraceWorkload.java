package dev.sluice.app.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.app.bench.Job.Turn;
import dev.sluice.app.cli.UsageException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * Requests recorded elsewhere, in the format of the traces that Mooncake published: a line of JSON
 * for each, in order of their time.
 *
 * <pre>
 *   {"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47, 48]}
 *   timestamp   milliseconds since the start
 *   hash_ids    one for every 512 tokens of the prompt; optional. Prompts with the same ids at
 *               their beginning begin with the same tokens
 * </pre>
 */
final class TraceWorkload implements Workload {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int TOKENS_PER_HASH = 512;
  private static final int LONGEST = 1 << 20;

  private record Line(Duration time, int input, int output, List<Long> hashes) {}

  private final List<Line> lines;

  private TraceWorkload(List<Line> lines) {
    this.lines = lines;
  }

  /**
   * Reads a trace.
   *
   * @param most lines that are read
   * @throws UsageException if it is none
   */
  static TraceWorkload read(Path file, int most) {
    List<Line> lines = new ArrayList<>();
    try (BufferedReader reader = Files.newBufferedReader(file)) {
      String text;
      for (int number = 1; lines.size() < most && (text = reader.readLine()) != null; number++) {
        if (!text.isBlank()) {
          lines.add(line(text, file + ", line " + number));
        }
      }
    } catch (IOException e) {
      throw new UsageException("--trace: " + file + " cannot be read: " + e.getMessage(), e);
    }
    if (lines.isEmpty()) {
      throw new UsageException("--trace: " + file + " is empty (expected: lines of JSON)");
    }
    return new TraceWorkload(lines);
  }

  private static Line line(String text, String where) {
    JsonNode json;
    try {
      json = JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new UsageException(where + ": " + e.getOriginalMessage(), e);
    }
    JsonNode hashIds = json.path("hash_ids");
    List<Long> hashes = new ArrayList<>();
    hashIds.forEach(id -> hashes.add(id.asLong()));
    return new Line(
        Duration.ofMillis(number(json, "timestamp", 0, Integer.MAX_VALUE, where)),
        number(json, "input_length", 1, LONGEST, where),
        number(json, "output_length", 1, LONGEST, where),
        hashes);
  }

  private static int number(JsonNode json, String key, int least, int most, String where) {
    JsonNode value = json.path(key);
    if (!value.isIntegralNumber() || value.asLong() < least || value.asLong() > most) {
      throw new UsageException(
          "%s: %s: %s (expected: %d to %d)"
              .formatted(where, key, value.isMissingNode() ? "missing" : value, least, most));
    }
    return value.asInt();
  }

  @Override
  public Iterator<Job> jobs(TokenSource tokens) {
    Duration first = lines.getFirst().time;
    Iterator<Line> all = lines.iterator();
    return new Iterator<>() {
      private int index;

      @Override
      public boolean hasNext() {
        return all.hasNext();
      }

      @Override
      public Job next() {
        Line line = all.next();
        Turn turn = new Turn(prompt(line, index++, tokens), line.output);
        return new Job(Optional.of(line.time.minus(first)), List.of(turn));
      }
    };
  }

  private static List<Integer> prompt(Line line, int index, TokenSource tokens) {
    List<Integer> prompt = new ArrayList<>(line.input);
    for (long hash : line.hashes) {
      prompt.addAll(tokens.draw(tokens.random(-1 - hash), TOKENS_PER_HASH));
    }
    int rest = Math.max(0, line.input - prompt.size());
    prompt.addAll(tokens.draw(tokens.random(index), rest));
    return prompt.subList(0, line.input);
  }

  @Override
  public int size() {
    return lines.size();
  }
}
