package dev.sluice.worker.runner;

import dev.sluice.worker.graph.Quantization;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Computes logits in a process of its own, which is cold: the first step of the process is that of
 * the first prompt. Prints one line for each row: index of the prompt, index of the row, hash.
 */
final class CampaignProcess {
  private CampaignProcess() {}

  /**
   * Computes and prints.
   *
   * @param arguments quantization; length of the list of prompts; indexes of prompts, with commas;
   *     batch; chunk
   */
  public static void main(String[] arguments) {
    Quantization quantization = Quantization.valueOf(arguments[0]);
    List<CampaignPrompt> all = CampaignPrompt.list(Integer.parseInt(arguments[1]));
    List<CampaignPrompt> prompts =
        Arrays.stream(arguments[2].split(",")).map(i -> all.get(Integer.parseInt(i))).toList();
    CampaignVariant variant =
        new CampaignVariant(
            Integer.parseInt(arguments[3]),
            Integer.parseInt(arguments[4]),
            CampaignVariant.Mode.OWN);
    CampaignRows rows = new CampaignRows(all);
    try (OrtModelRunner runner = CampaignModel.load(quantization)) {
      new CampaignRun(runner, prompts, variant, rows).run();
    }
    rows.forEach((prompt, row, hash) -> System.out.printf("row %d %d %x%n", prompt, row, hash));
  }

  /**
   * Runs it and compares its rows.
   *
   * @param prompts those to compute
   * @param all the list that they are of
   * @param options of the virtual machine
   */
  static void compare(
      Quantization quantization,
      List<CampaignPrompt> prompts,
      List<CampaignPrompt> all,
      CampaignVariant variant,
      CampaignRows rows,
      List<String> options)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(
        List.of(
            "--add-modules=jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            CampaignProcess.class.getName(),
            quantization.name(),
            Integer.toString(all.size()),
            prompts.stream().map(p -> Integer.toString(p.index())).collect(Collectors.joining(",")),
            Integer.toString(variant.batch()),
            Integer.toString(variant.chunk())));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    StringBuilder other = new StringBuilder();
    try (BufferedReader output =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      String line;
      while ((line = output.readLine()) != null) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("row")) {
          rows.put(
              Integer.parseInt(words[1]),
              Integer.parseInt(words[2]),
              Long.parseUnsignedLong(words[3], 16));
        } else {
          other.append(line).append('\n');
        }
      }
    }
    if (process.waitFor() != 0) {
      throw new IllegalStateException(
          "exit code " + process.exitValue() + " (expected: 0): " + command + "\n" + other);
    }
  }
}
