package dev.sluice.worker.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.worker.graph.OnnxModel.Node;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.RotaryScaling;
import dev.sluice.worker.ort.OrtEnvironment;
import dev.sluice.worker.ort.OrtException;
import dev.sluice.worker.ort.OrtSession;
import dev.sluice.worker.ort.OrtSessionOptions;
import dev.sluice.worker.ort.OrtTensor;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The graph for a GPU, as far as it can be checked without one. */
final class CudaGraphTest {
  /** What tells families apart. */
  record Family(String name, boolean tied, boolean bias, boolean norm, int window) {
    ModelConfig config() {
      return new ModelConfig(
          name,
          2,
          128,
          192,
          4,
          2,
          64,
          96,
          64,
          1e-5f,
          10_000,
          new RotaryScaling.None(),
          tied,
          bias,
          norm,
          window);
    }
  }

  record Case(Family family, Quantization quantization, HalfType type, CudaCache cache) {
    CudaGraphOptions options() {
      return new CudaGraphOptions(quantization, type, cache, 64, CudaGraphOptions.MICROSOFT);
    }

    DecoderGraph graph() {
      return DecoderGraph.build(family.config(), options());
    }
  }

  private static final List<Family> FAMILIES =
      List.of(
          new Family("llama", false, false, false, 0),
          new Family("smollm2", true, false, false, 0),
          new Family("qwen2", true, true, false, 0),
          new Family("qwen3", true, false, true, 0),
          new Family("mistral", false, false, false, 32));

  private static final OperatorSchemas SCHEMAS = new OperatorSchemas();

  static Stream<Case> cases() {
    return FAMILIES.stream()
        .flatMap(family ->
            Stream.of(Quantization.values())
                .filter(quantization -> quantization != Quantization.INT8)
                .flatMap(quantization ->
                    Stream.of(HalfType.values())
                        .flatMap(type ->
                            Stream.of(CudaCache.values())
                                .map(cache -> new Case(family, quantization, type, cache)))));
  }

  static Stream<Case> bfloat16Cases() {
    return cases().filter(given -> given.type() == HalfType.BFLOAT16);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyNodeFitsItsOperator(Case given) {
    SCHEMAS.check(OnnxModel.parse(given.graph().model()));
  }

  @Test
  void schemasAreThoseOfTheLibrary() {
    assertThat(SCHEMAS.version()).isEqualTo(OrtEnvironment.version());
  }

  /**
   * ONNX Runtime checks a graph's types before it looks for kernels. A CPU has those for float32,
   * so that the session fails when it comes to the attention, and at nothing before.
   */
  @ParameterizedTest
  @MethodSource("bfloat16Cases")
  void aCpuHasEverythingButTheAttention(Case given) {
    assertThatThrownBy(
            () -> createSession(FloatCudaGraph.build(given.family().config(), given.options())))
        .isInstanceOf(OrtException.class)
        .hasMessage(
            "ONNX Runtime: Could not find an implementation for PagedAttention(1) node with name"
                + " 'PagedAttention.attention_output.0'");
  }

  /** With float16 ONNX Runtime tries casts first; the types of the graph itself are right. */
  @Test
  void aCpuHasNoAttentionInFloat16() {
    Case given = new Case(FAMILIES.getFirst(), Quantization.NONE, HalfType.FLOAT16, CudaCache.HALF);
    assertThatThrownBy(() -> createSession(given.graph()))
        .isInstanceOf(OrtException.class)
        .hasMessageContaining("Type 'tensor(float)' of input parameter (InsertedPrecisionFreeCast_")
        .hasMessageContaining("(PagedAttention.attention_output.0)");
  }

  private static void createSession(DecoderGraph graph) {
    Map<String, OrtTensor> tensors = new LinkedHashMap<>();
    try (Arena arena = Arena.ofConfined();
        OrtEnvironment environment = OrtEnvironment.open();
        OrtSessionOptions options = OrtSessionOptions.create(1)) {
      for (Weight weight : graph.weights()) {
        for (Initializer initializer : weight.initializers()) {
          long[] shape = initializer.shape().stream().mapToLong(Long::longValue).toArray();
          tensors.put(
              initializer.name(),
              OrtTensor.of(
                  environment, initializer.type(), arena.allocate(initializer.bytes()), shape));
        }
      }
      options.addExternalInitializers(tensors);
      OrtSession.create(environment, graph.model(), options).close();
    } finally {
      tensors.values().forEach(OrtTensor::close);
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void attentionHasWhatTheFamilyNeeds(Case given) {
    List<Node> attention =
        OnnxModel.parse(given.graph().model()).nodes().stream()
            .filter(node -> node.type().equals("PagedAttention"))
            .toList();

    assertThat(attention)
        .hasSize(2)
        .allSatisfy(node -> {
          assertThat(node.outputs()).as("caches are written in place").hasSize(1);
          assertThat(node.inputs().get(16)).isEqualTo(DecoderGraph.ATTENTION_METADATA);
          assertThat(node.inputs().get(12).isEmpty()).isNotEqualTo(given.family().norm());
          assertThat(node.attributes()).containsEntry("do_rotary", new OnnxModel.Attribute(2, 1));
          assertThat(node.attributes().containsKey("local_window_size"))
              .isEqualTo(given.family().window() > 0);
          assertThat(node.attributes().containsKey("k_quant_type"))
              .isEqualTo(given.cache() == CudaCache.FLOAT8);
        });
  }

  /** The rule by which FlashAttention reads pages: a multiple of the length of its tiles. */
  @Test
  void blocksAreAsLongAsTheTilesOfFlashAttention() {
    assertThat(List.of(16, 48, 64).stream().map(CudaCache::blockSize)).containsOnly(256);
    assertThat(List.of(80, 96, 128).stream().map(CudaCache::blockSize)).containsOnly(128);
    assertThat(List.of(160, 192, 256).stream().map(CudaCache::blockSize)).containsOnly(64);
  }

  @Test
  void cacheBytes() {
    ModelConfig config = FAMILIES.getFirst().config(); // 2 layers, 2 KV heads of 64
    assertThat(CudaCache.HALF.bytesPerToken(config, HalfType.BFLOAT16)).isEqualTo(1024);
    assertThat(CudaCache.FLOAT8.bytesPerToken(config, HalfType.FLOAT16)).isEqualTo(512);
  }

  @Test
  void refusesWhatAGpuHasNoOperatorsFor() {
    Case int8 = new Case(FAMILIES.getFirst(), Quantization.INT8, HalfType.FLOAT16, CudaCache.HALF);
    assertThatThrownBy(int8::graph)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("quantization: int8 (expected on a GPU: none, int8-block or int4-block)");
  }
}
