package dev.sluice.worker.ort;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.worker.graph.SingleNodeModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Operators in Java, called by the real library. */
final class CustomOpTest {
  private static final int THREADS = 3;

  /** Doubles its input, [rows, columns], each row as a task; fails as told. */
  private static final class Doubling implements CustomOp {
    final AtomicInteger closed = new AtomicInteger();
    volatile boolean failing;
    volatile int failingTask = Integer.MAX_VALUE;

    @Override
    public String name() {
      return "Doubling";
    }

    @Override
    public List<Parameter> inputs() {
      return List.of(Parameter.required(ElementType.FLOAT), Parameter.optional(ElementType.FLOAT));
    }

    @Override
    public List<Parameter> outputs() {
      return List.of(Parameter.required(ElementType.FLOAT));
    }

    @Override
    public Kernel createKernel(KernelInfo info) {
      long factor = info.intAttribute("factor");
      assertThat(info.intAttribute("factor", 7)).isEqualTo(factor);
      assertThat(info.intAttribute("absent", 7)).isEqualTo(7);
      assertThat(info.floatAttribute("absent", 0.5f)).isEqualTo(0.5f);
      assertThatThrownBy(() -> info.floatAttribute("factor", 0.5f)).hasMessageContaining("type");
      return new Kernel() {
        @Override
        public void compute(KernelContext context) {
          if (failing) {
            throw new IllegalStateException("told to fail");
          }
          assertThat(context.hasInput(1)).isFalse();
          int rows = (int) context.inputDimension(0, 0);
          long columns = context.inputDimension(0, 1);
          MemorySegment input = floats(context.inputAddress(0), rows * columns);
          MemorySegment output = floats(context.allocateOutput(0, rows, columns), rows * columns);
          context.parallelFor(
              rows,
              row -> {
                if (row >= failingTask) {
                  throw new IllegalStateException("task told to fail");
                }
                for (long i = row * columns; i < (row + 1) * columns; i++) {
                  float value = input.getAtIndex(ValueLayout.JAVA_FLOAT, i);
                  output.setAtIndex(ValueLayout.JAVA_FLOAT, i, value * factor);
                }
              });
        }

        @Override
        public void close() {
          closed.incrementAndGet();
        }
      };
    }

    private static MemorySegment floats(long address, long count) {
      return MemorySegment.ofAddress(address).reinterpret(4 * count);
    }
  }

  @Test
  void computesOnTheSessionsThreadsAndReportsFailures() {
    Doubling doubling = new Doubling();
    byte[] model = SingleNodeModel.of("Doubling", "factor", 2);
    try (OrtEnvironment environment = OrtEnvironment.open();
        CustomOpDomain domain = new CustomOpDomain("sluice", List.of(doubling));
        OrtSessionOptions options = OrtSessionOptions.create(THREADS)) {
      options.add(domain);
      try (OrtSession session = OrtSession.create(environment, model, options);
          OrtFrame frame = new OrtFrame(session, List.of("input"), List.of("output"));
          OrtTensor input = OrtTensor.allocate(environment, ElementType.FLOAT, 100, 7)) {
        for (int i = 0; i < 700; i++) {
          input.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
        }
        frame.setInput(0, input);
        for (int run = 0; run < 20; run++) {
          frame.run();
          MemorySegment output = Doubling.floats(frame.outputAddress(0), 700);
          for (int i = 0; i < 700; i++) {
            assertThat(output.getAtIndex(ValueLayout.JAVA_FLOAT, i)).isEqualTo(2f * i);
          }
        }

        doubling.failing = true;
        assertThatThrownBy(frame::run)
            .isInstanceOf(OrtException.class)
            .hasMessageContaining("Doubling")
            .hasMessageContaining("told to fail");
        assertThatThrownBy(() -> frame.outputAddress(0)).isInstanceOf(IllegalStateException.class);
        doubling.failing = false;
        doubling.failingTask = 50;
        assertThatThrownBy(frame::run).hasMessageContaining("task told to fail");
        doubling.failingTask = Integer.MAX_VALUE;
        frame.run(); // a failure leaves nothing behind
      }
    }
    assertThat(doubling.closed).hasValue(1);
  }

  @Test
  void refusesNodesWithoutTheirAttributes() {
    try (OrtEnvironment environment = OrtEnvironment.open();
        CustomOpDomain domain = new CustomOpDomain("sluice", List.of(new Doubling()));
        OrtSessionOptions options = OrtSessionOptions.create(1)) {
      options.add(domain);
      byte[] model = SingleNodeModel.of("Doubling", "other", 2);

      assertThatThrownBy(() -> OrtSession.create(environment, model, options))
          .isInstanceOf(OrtException.class)
          .hasMessageContaining("factor");
    }
  }
}
