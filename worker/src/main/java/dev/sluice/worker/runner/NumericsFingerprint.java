package dev.sluice.worker.runner;

import dev.sluice.common.digest.Digests;
import dev.sluice.worker.graph.Quantization;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.ort.OrtEnvironment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Names everything that decides the bits of a model's results on this machine. */
final class NumericsFingerprint {
  /** Changes with every change of a kernel that may change a bit. */
  private static final String KERNELS = "attention-range64-2,swiglu-1,rows-1";

  /** What ONNX Runtime chooses its matrix kernels by. */
  private static final List<String> CPU_FLAGS =
      List.of("avx2", "fma", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm");

  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  private NumericsFingerprint() {}

  /** 32 hexadecimal digits. */
  static String of(Checkpoint checkpoint, OrtModelRunnerConfig config) {
    String description =
        String.join(
            "\n",
            checkpoint.contentHash(),
            config.quantization().label(),
            "kv " + config.kvType().label(),
            KERNELS,
            OrtEnvironment.version(),
            processor(config.quantization()),
            checkpoint.tokenizer().fingerprint());
    return HexFormat.of().formatHex(Digests.sha256(description), 0, 16);
  }

  /**
   * What the bits depend on in the processor. With row-wise int8, nothing: ONNX Runtime's sums are
   * exact integers, and our kernels round alike everywhere.
   */
  private static String processor(Quantization quantization) {
    if (quantization == Quantization.INT8) {
      return "any";
    }
    String architecture = System.getProperty("os.arch");
    if (!Files.isReadable(CPU_INFO)) {
      return architecture;
    }
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      String flags =
          lines
              .filter(line -> line.startsWith("flags") || line.startsWith("Features"))
              .findFirst()
              .orElse("");
      List<String> present = List.of(flags.split("[\\s:]+"));
      return architecture
          + CPU_FLAGS.stream().filter(present::contains).collect(Collectors.joining(" ", " ", ""));
    } catch (IOException e) {
      return architecture;
    }
  }
}
