package dev.sluice.router;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.common.config.ConfigLoader;
import dev.sluice.router.admission.TenantOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A configuration file that changes under a running router. */
final class ConfigReloadTest {
  @TempDir private Path folder = Path.of("");
  private final List<TenantOptions> taken = new ArrayList<>();

  private ConfigReload follow(Path file) {
    return new ConfigReload(file, load(file), () -> load(file), next -> taken.add(next.tenants()));
  }

  private static RouterConfig load(Path file) {
    return ConfigLoader.load(
            RouterConfig.class, RouterConfig.defaults(), Optional.of(file), Map.of(), Map.of())
        .config();
  }

  private Path write(String text) throws Exception {
    return Files.writeString(folder.resolve("router.yaml"), text);
  }

  @Test
  void whatTenantsGetIsTakenOver() throws Exception {
    ConfigReload reload = follow(write("tenants: {weights: [gold=2]}\n"));
    reload.check(false);
    assertThat(taken).isEmpty();

    write("tenants: {weights: [gold=4]}\n");
    reload.check(false);
    assertThat(taken).extracting(TenantOptions::weights).containsExactly(List.of("gold=4"));
    reload.check(false);
    reload.check(true); // asked for, but nothing is new
    assertThat(taken).hasSize(1);
  }

  @Test
  void aMistakeChangesNothingUntilItIsMended() throws Exception {
    ConfigReload reload = follow(write("tenants: {weights: [gold=2]}\n"));
    write("tenants: {weights: [gold=none]}\n");
    reload.check(false);
    write("tenants: {wieghts: [gold=4]}\n");
    reload.check(false);
    Files.delete(folder.resolve("router.yaml"));
    reload.check(false);
    assertThat(taken).isEmpty();
    write("tenants: {weights: [gold=4]}\n");
    reload.check(false);
    assertThat(taken).hasSize(1);
  }

  @Test
  void otherKeysWaitForARestart() throws Exception {
    ConfigReload reload = follow(write("policy: cost\n"));
    write("policy: random\n");
    reload.check(false);
    assertThat(taken).isEmpty();
  }
}
