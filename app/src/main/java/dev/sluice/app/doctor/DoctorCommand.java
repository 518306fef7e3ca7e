package dev.sluice.app.doctor;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.Style;
import dev.sluice.app.cli.Terminal;
import dev.sluice.app.doctor.Finding.Verdict;
import dev.sluice.common.config.BuildInfo;
import dev.sluice.worker.model.ModelStore;
import dev.sluice.worker.runner.MemoryLimit;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Looks at the machine before a user has to. */
@Command(
    name = "doctor",
    description = "Says whether this machine can run Sluice, and what would make it better.",
    mixinStandardHelpOptions = true,
    footer = {"", "Exit: 0 if Sluice can run here, 1 if there is a problem."})
public final class DoctorCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() throws JsonProcessingException {
    List<Finding> findings = examine(System.getenv());
    boolean healthy = findings.stream().noneMatch(f -> f.verdict() == Verdict.PROBLEM);
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      out.println(json(findings, healthy));
    } else {
      print(out, findings, new Style(Terminal.ofProcess().drawsOnOut()));
    }
    out.flush();
    return healthy ? ExitCode.OK : ExitCode.SOFTWARE;
  }

  private static List<Finding> examine(Map<String, String> environment) {
    MachineChecks machine = new MachineChecks(Path.of("/"));
    StorageChecks storage = new StorageChecks(ModelStore.home(environment));
    return List.of(
        MachineChecks.java(),
        MachineChecks.startUp(Optional.ofNullable(System.getProperty("sluice.aot"))),
        machine.processors(),
        MachineChecks.memory(MemoryLimit.ofProcess()),
        machine.files(),
        storage.folder(),
        StorageChecks.temporary(Path.of(System.getProperty("java.io.tmpdir"))),
        StorageChecks.models(
            ModelStore.of(environment).list(), environment.getOrDefault("PATH", "")),
        PortChecks.ports(PortChecks.USUAL),
        new GpuChecks(Path.of("/"), environment.getOrDefault("LD_LIBRARY_PATH", ""))
            .gpu(hasCuda()));
  }

  /** Whether ONNX Runtime came with CUDA: its jar then has another name. */
  private static boolean hasCuda() {
    String dist = System.getProperty("sluice.dist");
    if (dist == null) {
      return false;
    }
    try (DirectoryStream<Path> jars =
        Files.newDirectoryStream(Path.of(dist, "lib"), "onnxruntime_gpu-*.jar")) {
      return jars.iterator().hasNext();
    } catch (IOException e) {
      return false;
    }
  }

  private static void print(PrintWriter out, List<Finding> findings, Style style) {
    for (Finding finding : findings) {
      String verdict = "%-7s".formatted(finding.verdict());
      String coloured =
          switch (finding.verdict()) {
            case OK -> style.green(verdict);
            case WARNING -> style.yellow(verdict);
            case PROBLEM -> style.red(verdict);
          };
      out.println(coloured + "  " + "%-15s".formatted(finding.check()) + "  " + finding.detail());
      if (!finding.advice().isEmpty()) {
        out.println(" ".repeat(26) + style.dim(finding.advice()));
      }
    }
  }

  private static String json(List<Finding> findings, boolean healthy)
      throws JsonProcessingException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode json =
        mapper.createObjectNode().put("version", BuildInfo.version()).put("healthy", healthy);
    ArrayNode array = json.putArray("findings");
    for (Finding finding : findings) {
      array
          .addObject()
          .put("check", finding.check())
          .put("verdict", finding.verdict().toString())
          .put("detail", finding.detail())
          .put("advice", finding.advice());
    }
    return mapper.writeValueAsString(json);
  }
}
