package dev.sluice.app.fleet;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import dev.sluice.app.cli.OutputFormat;
import dev.sluice.app.cli.Style;
import dev.sluice.v1.FleetWorker;
import java.io.PrintWriter;
import java.util.List;

/** Writes what a router says about its workers. Threading: for one thread. */
final class FleetOutput {
  private static final JsonFormat.Printer JSON =
      JsonFormat.printer().omittingInsignificantWhitespace();

  private final PrintWriter out;
  private final OutputFormat format;
  private final WorkerTable table;

  FleetOutput(PrintWriter out, OutputFormat format, Style style) {
    this.out = out;
    this.format = format;
    this.table = new WorkerTable(style);
  }

  /**
   * Writes a message: as a line of JSON, or its workers as a table.
   *
   * @return the number of lines
   */
  int print(Message message, List<FleetWorker> workers) {
    List<String> lines = format.json() ? List.of(json(message)) : lines(workers);
    lines.forEach(out::println);
    out.flush();
    return lines.size();
  }

  private List<String> lines(List<FleetWorker> workers) {
    return table.lines(workers, System.nanoTime());
  }

  private static String json(Message message) {
    try {
      return JSON.print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }
}
