package dev.sluice.app.fleet;

import dev.sluice.app.cli.FailedException;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An unpacked distribution, as the launcher sees it too: {@code lib/} with the jars, {@code
 * jvm/ROLE.options} with the options of the JVM for what a process is to be.
 *
 * @param home the folder
 */
public record Distribution(Path home) {
  /** Set to true for a process that is to end with the one that started it. */
  public static final String EXIT_WITH_PARENT = "sluice.exit-with-parent";

  private static final String PROPERTY = "sluice.dist";

  /** Folder of caches of loaded classes that fit this Java and these jars; not set if none do. */
  private static final String CACHES = "sluice.aot";

  /** What a process is for: decides its JVM's options. */
  public enum Role {
    ROUTER("router"),
    WORKER("worker");

    private final String command;

    Role(String command) {
      this.command = command;
    }
  }

  /** The distribution that this process was started from; the launcher says where it is. */
  public static Distribution ofProcess() {
    String home = System.getProperty(PROPERTY);
    if (home == null) {
      throw new FailedException("-D" + PROPERTY + " is not set: use the sluice launcher");
    }
    return new Distribution(Path.of(home));
  }

  /**
   * The command line of a child process on the same Java; it ends when this process ends.
   *
   * @param arguments of the Sluice command
   */
  List<String> command(Role role, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("@" + home.resolve("jvm").resolve(role.command + ".options"));
    command.add("-D" + EXIT_WITH_PARENT + "=true");
    command.addAll(userOptions());
    command.addAll(classCache(role));
    // Not -cp: the jar's manifest grants native access, which an option would, but for the cache.
    command.add("-jar");
    command.add(jar().toString());
    command.add(role.command);
    command.addAll(arguments);
    return command;
  }

  /** Loaded classes from an earlier run, if the launcher has them: starts in half the time. */
  private static List<String> classCache(Role role) {
    String caches = System.getProperty(CACHES);
    return caches == null
        ? List.of()
        : List.of("-XX:AOTCache=" + Path.of(caches, role.command + ".aot"));
  }

  /** As the launcher does. */
  private static List<String> userOptions() {
    String options = System.getenv().getOrDefault("SLUICE_JAVA_OPTS", "").strip();
    return options.isEmpty() ? List.of() : List.of(options.split("\\s+", -1));
  }

  private Path jar() {
    Path lib = home.resolve("lib");
    try (DirectoryStream<Path> jars = Files.newDirectoryStream(lib, "sluice-app-*.jar")) {
      for (Path jar : jars) {
        return jar;
      }
    } catch (IOException e) {
      throw new FailedException(lib + ": cannot be read: " + e, e);
    }
    throw new FailedException(lib + "/sluice-app-*.jar is missing: build the distribution");
  }
}
