package dev.sluice.app.simulate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.app.cli.UsageException;
import dev.sluice.worker.simulation.CostModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** What a step costs: one of the built-in models, or what {@code sluice engine-bench} printed. */
final class CostOption {
  private static final ObjectMapper JSON = new ObjectMapper();

  private CostOption() {}

  /**
   * Reads the option.
   *
   * @throws UsageException if it is neither
   */
  static CostModel read(String text) {
    return switch (text) {
      case "cpu" -> CostModel.CPU;
      case "gpu" -> CostModel.GPU;
      default -> fit(Path.of(text));
    };
  }

  private static CostModel fit(Path file) {
    Map<Integer, Double> decodes = new TreeMap<>();
    Map<Integer, Double> prefills = new TreeMap<>();
    try {
      for (String line : Files.readAllLines(file)) {
        if (!line.isBlank()) {
          JsonNode json = JSON.readTree(line);
          String workload = json.path("workload").asText();
          if (workload.matches("serve-\\d{1,6}")) {
            decodes.put(count(workload), json.path("decode").asDouble());
          } else if (workload.matches("prefill-\\d{1,6}")) {
            prefills.put(count(workload), json.path("prefill").asDouble());
          }
        }
      }
      return CostModel.fit(decodes, prefills);
    } catch (JsonProcessingException e) {
      throw new UsageException("--cost: " + file + ": " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UsageException(
          "--cost: " + file + " (expected: cpu, gpu, or a file of engine-bench's lines): " + e, e);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--cost: " + file + ": " + e.getMessage(), e);
    }
  }

  private static int count(String workload) {
    return Integer.parseInt(workload.substring(workload.indexOf('-') + 1));
  }
}
