package dev.sluice.worker.graph;

import dev.sluice.worker.ort.ElementType;
import java.util.List;

/** A model of one node of Sluice's domain: {@code output = op(input)}, float matrices. */
public final class SingleNodeModel {
  private SingleNodeModel() {}

  public static byte[] of(String op, String attribute, long value) {
    OnnxGraph graph = new OnnxGraph();
    graph.input("input", ElementType.FLOAT, "rows", "columns");
    graph.node(
        OnnxGraph.SLUICE,
        op,
        List.of("input"),
        List.of("output"),
        new OnnxGraph.Attributes().with(attribute, value));
    graph.output("output", ElementType.FLOAT, "rows", "columns");
    return graph.toByteArray();
  }
}
