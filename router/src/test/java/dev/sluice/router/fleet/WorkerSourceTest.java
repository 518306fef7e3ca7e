package dev.sluice.router.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class WorkerSourceTest {
  @Test
  void readsEveryKind() {
    assertThat(WorkerSource.parse("w:9091"))
        .isEqualTo(new WorkerSource.Fixed(new WorkerAddress("w", 9091)));
    assertThat(WorkerSource.parse("dns:///workers.llm.svc:9091"))
        .isEqualTo(new WorkerSource.Dns("workers.llm.svc", 9091))
        .hasToString("dns:///workers.llm.svc:9091");
    assertThat(WorkerSource.parse("kubernetes:///workers.llm:grpc"))
        .isEqualTo(new WorkerSource.Kubernetes("workers", "llm", "grpc"))
        .hasToString("kubernetes:///workers.llm:grpc");
    assertThat(WorkerSource.parse("kubernetes:///workers:9091"))
        .isEqualTo(new WorkerSource.Kubernetes("workers", "", "9091"))
        .hasToString("kubernetes:///workers:9091");
  }

  @Test
  void saysWhatItExpected() {
    for (String wrong : new String[] {"dns:///w", "dns://w:1", "w", "kubernetes:///w.n", ""}) {
      assertThatThrownBy(() -> WorkerSource.parse(wrong))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("expected: ");
    }
    for (String port : new String[] {"0", "70000", "99999999999"}) {
      assertThatThrownBy(() -> WorkerSource.parse("kubernetes:///svc:" + port))
          .hasMessageContaining(port + " (expected: a port from 1 to 65535");
    }
    assertThatThrownBy(() -> WorkerSource.parse("kubernetes:///A_b:1"))
        .hasMessageContaining("kubernetes:///service.namespace:port");
  }
}
