package dev.sluice.worker.runner;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What a model runs on. */
public sealed interface Device {
  /** The processor. */
  record Cpu() implements Device {
    @Override
    public String label() {
      return "cpu";
    }
  }

  /**
   * An NVIDIA GPU.
   *
   * @param index its number, from 0, as CUDA counts
   */
  record Cuda(int index) implements Device {
    @Override
    public String label() {
      return "cuda:" + index;
    }
  }

  /** The name on the command line, such as {@code cuda:0}. */
  String label();

  /**
   * The device of a name.
   *
   * @throws IllegalArgumentException if there is no such name
   */
  static Device parse(String name) {
    Matcher cuda = Pattern.compile("cuda:(\\d{1,3})").matcher(name);
    if (cuda.matches()) {
      return new Cuda(Integer.parseInt(cuda.group(1)));
    }
    if (name.equals("cpu")) {
      return new Cpu();
    }
    throw new IllegalArgumentException(
        "device: \"" + name + "\" (expected: cpu, or cuda:N with the number of a GPU)");
  }
}
