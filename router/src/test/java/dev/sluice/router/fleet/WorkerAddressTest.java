package dev.sluice.router.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WorkerAddressTest {
  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1:9091", "worker-3.fleet:1", "[::1]:65535"})
  void readsWhatItWrites(String text) {
    assertThat(WorkerAddress.parse(text).toString()).isEqualTo(text);
  }

  @Test
  void takesBracketsOff() {
    assertThat(WorkerAddress.parse("[::1]:9091")).isEqualTo(new WorkerAddress("::1", 9091));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "host",
        ":9091",
        "host:",
        "host:0",
        "host:65536",
        "host:x",
        "::1:9091",
        "h:-1"
      })
  void refusesTheRest(String text) {
    assertThatThrownBy(() -> WorkerAddress.parse(text))
        .hasMessageContaining(text)
        .hasMessageContaining("expected: host:port");
  }
}
