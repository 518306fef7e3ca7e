package dev.sluice.app.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.worker.model.ModelStore;
import dev.sluice.worker.model.StoredModel;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The catalogue, and which of it is here. */
@Command(
    name = "list",
    description = "Lists the models that can be pulled by name, and those that are here.",
    mixinStandardHelpOptions = true)
final class ModelListCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();
  @Mixin private OutputFormat output = new OutputFormat();

  @Override
  public Integer call() throws JsonProcessingException {
    List<StoredModel> models = ModelStore.of(System.getenv()).list();
    PrintWriter out = spec.commandLine().getOut();
    if (output.json()) {
      ArrayNode array = new ObjectMapper().createArrayNode();
      for (StoredModel model : models) {
        array
            .addObject()
            .put("id", model.id())
            .put("description", model.description())
            .put("path", model.path().toString())
            .put("bytes", model.bytes())
            .put("present", model.present());
      }
      out.println(new ObjectMapper().writeValueAsString(array));
    } else {
      out.printf("%-20s %10s  %-8s %s%n", "MODEL", "SIZE", "HERE", "DESCRIPTION");
      for (StoredModel model : models) {
        out.printf(
            "%-20s %10s  %-8s %s%n",
            model.id(),
            ProgressBar.megabytes(model.bytes()),
            model.present() ? "yes" : "no",
            model.description());
      }
    }
    out.flush();
    return ExitCode.OK;
  }
}
