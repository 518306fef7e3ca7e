package dev.sluice.common.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

@Timeout(60)
class LoggingTest {
  @Test
  void oneLinePerEventOnStderr() throws IOException {
    List<String> lines = linesOf(Map.of());
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).matches("\\d{4}-.* INFO  Talks - two \\| lines");
    assertThat(lines.get(1)).matches("\\d{4}-.* INFO  Talks trace=0af7 - traced");
    assertThat(lines.get(2)).matches("\\d{4}-.* WARN  library - from java\\.util\\.logging 7");
  }

  @Test
  void theLevelComesFromTheEnvironmentElseFromTheProgram() throws IOException {
    assertThat(linesOf(Map.of("SLUICE_LOG", "debug"))).hasSize(4);
    assertThat(linesOf(Map.of("SLUICE_LOG", "off"))).isEmpty();
    assertThat(linesOf(Map.of(), "-Dsluice.log=warn")).hasSize(1);
  }

  @Test
  void jsonOnRequest() throws IOException {
    List<String> lines = linesOf(Map.of("SLUICE_LOG_FORMAT", "json"));
    assertThat(lines).hasSize(3);
    JsonNode traced = new ObjectMapper().readTree(lines.get(1));
    assertThat(traced.get("level").asText()).isEqualTo("INFO");
    assertThat(traced.get("formattedMessage").asText()).isEqualTo("traced");
    assertThat(traced.get("mdc").get("trace_id").asText()).isEqualTo("0af7");
  }

  private static List<String> linesOf(Map<String, String> environment, String... jvmArguments)
      throws IOException {
    ChildProcess child = ChildProcess.start(Talks.class, environment, jvmArguments);
    List<String> lines = child.stderr().lines().toList();
    assertThat(child.restOfStdout()).isEmpty();
    return lines;
  }

  static final class Talks {
    public static void main(String[] args) {
      Logging.start("info");
      Logger log = LoggerFactory.getLogger("dev.sluice.Talks");
      log.debug("quiet");
      log.info("two\nlines");
      MDC.put("trace_id", "0af7");
      log.info("traced");
      MDC.remove("trace_id");
      java.util.logging.Logger library = java.util.logging.Logger.getLogger("some.library");
      library.log(java.util.logging.Level.WARNING, "from java.util.logging {0}", 7);
    }
  }
}
