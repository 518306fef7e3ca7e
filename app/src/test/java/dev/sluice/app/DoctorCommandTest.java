package dev.sluice.app;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;

/** Commands about the machine and the shell. */
final class DoctorCommandTest {
  @Test
  void everyCheckHasItsFinding() throws Exception {
    Run text = Run.of("doctor");
    assertThat(text.out()).contains("java", "memory", "ports", "storage", "models", "gpu");
    Run run = Run.of("doctor", "-o", "json");
    JsonNode json = new ObjectMapper().readTree(run.out());
    assertThat(run.code()).isEqualTo(json.get("healthy").asBoolean() ? 0 : 1);
    assertThat(json.get("findings"))
        .hasSize(10)
        .allSatisfy(finding -> {
          assertThat(finding.get("verdict").asText()).isIn("ok", "warning", "problem");
          assertThat(finding.get("detail").asText()).isNotBlank();
        });
  }

  @Test
  void aShellLearnsCommandsAndFlags() {
    Run run = Run.of("completion");
    assertThat(run.code()).isZero();
    assertThat(run.out()).startsWith("#!").contains("_complete_sluice", "drain", "--max-tokens");
  }
}
