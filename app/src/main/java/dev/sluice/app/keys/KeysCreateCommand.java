package dev.sluice.app.keys;

import dev.sluice.app.cli.UsageException;
import dev.sluice.common.security.ApiKey;
import dev.sluice.common.security.KeyFile;
import dev.sluice.common.security.Permission;
import java.io.PrintWriter;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes a key. */
@Command(
    name = "create",
    description = {
      "Prints a new key, once, and appends its hash to the file. Running processes that have the",
      "file know it within seconds."
    },
    mixinStandardHelpOptions = true)
final class KeysCreateCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private KeyFileOption file = new KeyFileOption();

  @Option(
      names = "--tenant",
      paramLabel = "NAME",
      description = "Whose requests are made with it; * with --permissions router.")
  private String tenant = "default";

  @Option(
      names = "--permissions",
      paramLabel = "NAME,...",
      split = ",",
      description = "generate (default), operate or router.")
  private @Nullable List<Permission> permissions;

  @Override
  public Integer call() {
    Set<Permission> granted =
        permissions == null ? EnumSet.of(Permission.GENERATE) : EnumSet.copyOf(permissions);
    ApiKey.Created created;
    try {
      created = ApiKey.create(tenant, granted, new SecureRandom());
    } catch (IllegalArgumentException e) {
      throw new UsageException(String.valueOf(e.getMessage()));
    }
    KeyFile.append(file.path(), created.entry());
    PrintWriter err = spec.commandLine().getErr();
    err.printf(
        "%s of tenant %s, may %s. Keep it: it is not shown again.%n",
        created.entry().identity().name(), tenant, created.entry().permissions());
    err.flush();
    PrintWriter out = spec.commandLine().getOut();
    out.println(created.secret());
    out.flush();
    return ExitCode.OK;
  }
}
