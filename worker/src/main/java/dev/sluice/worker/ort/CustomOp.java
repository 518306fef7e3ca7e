package dev.sluice.worker.ort;

import java.util.List;

/** An operator that is implemented in Java. */
public interface CustomOp {
  /** One input or output. */
  record Parameter(ElementType type, boolean optional) {
    public static Parameter required(ElementType type) {
      return new Parameter(type, false);
    }

    public static Parameter optional(ElementType type) {
      return new Parameter(type, true);
    }
  }

  /** The work of one node of a graph. */
  interface Kernel extends AutoCloseable {
    /**
     * Computes the node's outputs. Anything thrown fails the run with its message.
     *
     * <p>Threading: called by the thread that runs the session, one run at a time.
     */
    void compute(KernelContext context);

    /** Frees what the kernel holds; nothing by default. */
    @Override
    default void close() {}
  }

  /** The operator's name within its domain. */
  String name();

  List<Parameter> inputs();

  List<Parameter> outputs();

  /** Makes the kernel of one node; called while a session is made. */
  Kernel createKernel(KernelInfo info);
}
