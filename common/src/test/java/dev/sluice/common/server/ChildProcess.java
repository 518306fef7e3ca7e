package dev.sluice.common.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A JVM of its own on the class path of the tests, for what cannot be tried inside one. */
record ChildProcess(Process process, BufferedReader stdout, BufferedReader stderr) {
  static ChildProcess start(Class<?> main, Map<String, String> environment, String... jvmArguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=1");
    command.addAll(List.of(jvmArguments));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("SLUICE_"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    return new ChildProcess(process, process.inputReader(), process.errorReader());
  }

  String firstLine() throws IOException {
    return Objects.requireNonNull(stdout.readLine(), "ended before its first line");
  }

  List<String> restOfStdout() {
    return stdout.lines().toList();
  }
}
