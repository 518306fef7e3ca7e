package dev.sluice.app.system;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.app.system.Sluice.Result;
import java.net.InetAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A fleet in the foreground ends with all of its processes, whatever ends it. */
final class UpIT {
  private static Sluice up() {
    return Sluice.start("up", "--port=0", "--workers=1");
  }

  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void stopsWhenAsked(String signal) throws Exception {
    try (Sluice up = up()) {
      up.awaitOut(line -> line.startsWith("router 127.0.0.1:"));
      assertThat(up.family()).hasSize(3);
      up.signal(signal);
      Result result = up.await();
      assertThat(result.code()).as(result.err()).isZero();
      assertThat(up.family()).isEmpty();
    }
  }

  @Test
  void childrenEndWithTheirParent() throws Exception {
    try (Sluice up = up()) {
      up.awaitErr(line -> line.startsWith("router listens on "));
      assertThat(up.family()).hasSize(3);
      up.signal("KILL");
      assertThat(up.await().code()).isEqualTo(137);
      up.awaitNobodyLeft();
    }
  }

  @Test
  void portInUseIsTold() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"));
        Sluice up =
            Sluice.start(
                "up",
                "--workers=1",
                "--port=" + taken.getLocalPort(),
                "--router-flag=--http-port=0")) {
      Result result = up.await();
      assertThat(result.code()).isEqualTo(1);
      assertThat(result.err())
          .contains("router exited with 1")
          .contains("127.0.0.1:" + taken.getLocalPort());
      assertThat(up.family()).isEmpty();
    }
  }
}
