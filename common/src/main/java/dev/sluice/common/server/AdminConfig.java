package dev.sluice.common.server;

import dev.sluice.common.config.Checks;
import java.util.Optional;

/**
 * The admin port.
 *
 * @param host address to bind; loopback unless set: whoever reaches it sees who is connected
 * @param port 0 to 65535; 0: any free one; none: there is no admin port
 */
public record AdminConfig(String host, Optional<Integer> port) {
  /** None. */
  public static final AdminConfig DEFAULTS = new AdminConfig("127.0.0.1", Optional.empty());

  public AdminConfig {
    Checks.notBlank("host", host, "an address such as 127.0.0.1");
    port.ifPresent(number -> Checks.range("port", number, 0, 65535));
  }
}
