package dev.sluice.worker.runner;

import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.worker.model.Checkpoint;
import dev.sluice.worker.model.ModelConfig;
import dev.sluice.worker.model.ModelFileException;
import dev.sluice.worker.model.RotaryScaling;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A model of random weights, small enough to be computed plainly in double precision. Its head is
 * its own, and its sizes are no powers of two.
 */
final class TinyModel implements Checkpoint {
  static final ModelConfig CONFIG =
      new ModelConfig(
          "llama",
          2,
          96,
          160,
          6,
          2,
          48,
          70,
          128,
          1e-5f,
          10_000,
          new RotaryScaling.None(),
          false,
          false,
          false,
          0);

  private final Map<String, long[]> shapes = new HashMap<>();
  private final Map<String, float[]> weights = new HashMap<>();

  TinyModel() {
    Random random = new Random(3);
    int hidden = CONFIG.hiddenSize();
    int heads = CONFIG.heads() * CONFIG.headSize();
    int kvHeads = CONFIG.kvHeads() * CONFIG.headSize();
    add(random, "model.embed_tokens.weight", CONFIG.vocabularySize(), hidden);
    add(random, "lm_head.weight", CONFIG.vocabularySize(), hidden);
    add(random, "model.norm.weight", hidden);
    for (int layer = 0; layer < CONFIG.layers(); layer++) {
      String prefix = "model.layers." + layer + ".";
      add(random, prefix + "input_layernorm.weight", hidden);
      add(random, prefix + "self_attn.q_proj.weight", heads, hidden);
      add(random, prefix + "self_attn.k_proj.weight", kvHeads, hidden);
      add(random, prefix + "self_attn.v_proj.weight", kvHeads, hidden);
      add(random, prefix + "self_attn.o_proj.weight", hidden, heads);
      add(random, prefix + "post_attention_layernorm.weight", hidden);
      add(random, prefix + "mlp.gate_proj.weight", CONFIG.intermediateSize(), hidden);
      add(random, prefix + "mlp.up_proj.weight", CONFIG.intermediateSize(), hidden);
      add(random, prefix + "mlp.down_proj.weight", hidden, CONFIG.intermediateSize());
    }
  }

  private void add(Random random, String name, long... shape) {
    int size = 1;
    for (long dimension : shape) {
      size *= (int) dimension;
    }
    float[] values = new float[size];
    for (int i = 0; i < size; i++) {
      values[i] = (float) (random.nextGaussian() * (shape.length == 1 ? 1 : 0.2));
    }
    shapes.put(name, shape);
    weights.put(name, values);
  }

  /** Takes a weight away. */
  void remove(String name) {
    shapes.remove(name);
    weights.remove(name);
  }

  @Override
  public ModelConfig config() {
    return CONFIG;
  }

  @Override
  public Set<String> names() {
    return Set.copyOf(weights.keySet());
  }

  @Override
  public long[] shape(String name) {
    long[] shape = shapes.get(name);
    if (shape == null) {
      throw new ModelFileException("tiny: no weight " + name);
    }
    return shape.clone();
  }

  @Override
  public void read(String name, MemorySegment destination) {
    float[] values = weights.getOrDefault(name, new float[0]);
    MemorySegment.copy(values, 0, destination, ValueLayout.JAVA_FLOAT, 0, values.length);
  }

  @Override
  public TokenizerBundle tokenizer() {
    return new TokenizerBundle("{}", "", "", "", List.of(), false);
  }

  @Override
  public String contentHash() {
    return "0".repeat(64);
  }

  @Override
  public void close() {}

  /** The logits of the last token, computed plainly in double precision. */
  double[] logits(int[] tokens) {
    int n = tokens.length;
    double[][] x = new double[n][];
    for (int t = 0; t < n; t++) {
      x[t] = row("model.embed_tokens.weight", tokens[t]);
    }
    for (int layer = 0; layer < CONFIG.layers(); layer++) {
      String prefix = "model.layers." + layer + ".";
      double[][] q = new double[n][];
      double[][] k = new double[n][];
      double[][] v = new double[n][];
      for (int t = 0; t < n; t++) {
        double[] normed = norm(x[t], prefix + "input_layernorm.weight");
        q[t] = rotate(multiply(normed, prefix + "self_attn.q_proj.weight"), t);
        k[t] = rotate(multiply(normed, prefix + "self_attn.k_proj.weight"), t);
        v[t] = multiply(normed, prefix + "self_attn.v_proj.weight");
      }
      for (int t = 0; t < n; t++) {
        add(x[t], multiply(attend(q[t], k, v, t), prefix + "self_attn.o_proj.weight"));
        double[] normed = norm(x[t], prefix + "post_attention_layernorm.weight");
        double[] gate = multiply(normed, prefix + "mlp.gate_proj.weight");
        double[] up = multiply(normed, prefix + "mlp.up_proj.weight");
        for (int i = 0; i < gate.length; i++) {
          gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        add(x[t], multiply(gate, prefix + "mlp.down_proj.weight"));
      }
    }
    return multiply(norm(x[n - 1], "model.norm.weight"), "lm_head.weight");
  }

  private static double[] attend(double[] q, double[][] k, double[][] v, int last) {
    int size = CONFIG.headSize();
    int group = CONFIG.heads() / CONFIG.kvHeads();
    double[] result = new double[q.length];
    for (int h = 0; h < CONFIG.heads(); h++) {
      int kvHead = h / group;
      double[] weights = new double[last + 1];
      double sum = 0;
      for (int j = 0; j <= last; j++) {
        double score = 0;
        for (int d = 0; d < size; d++) {
          score += q[h * size + d] * k[j][kvHead * size + d];
        }
        weights[j] = Math.exp(score / Math.sqrt(size));
        sum += weights[j];
      }
      for (int j = 0; j <= last; j++) {
        for (int d = 0; d < size; d++) {
          result[h * size + d] += weights[j] / sum * v[j][kvHead * size + d];
        }
      }
    }
    return result;
  }

  private static double[] rotate(double[] x, int position) {
    int size = CONFIG.headSize();
    int half = size / 2;
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i += size) {
      for (int d = 0; d < half; d++) {
        double angle = position * Math.pow(CONFIG.ropeTheta(), -(double) d / half);
        double c = Math.cos(angle);
        double s = Math.sin(angle);
        result[i + d] = x[i + d] * c - x[i + half + d] * s;
        result[i + half + d] = x[i + half + d] * c + x[i + d] * s;
      }
    }
    return result;
  }

  private double[] norm(double[] x, String weight) {
    float[] w = weights.getOrDefault(weight, new float[0]);
    double squares = 0;
    for (double value : x) {
      squares += value * value;
    }
    double factor = 1 / Math.sqrt(squares / x.length + CONFIG.normEpsilon());
    double[] result = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      result[i] = x[i] * factor * w[i];
    }
    return result;
  }

  private double[] multiply(double[] x, String weight) {
    float[] w = weights.getOrDefault(weight, new float[0]);
    double[] result = new double[w.length / x.length];
    for (int o = 0; o < result.length; o++) {
      for (int i = 0; i < x.length; i++) {
        result[o] += w[o * x.length + i] * x[i];
      }
    }
    return result;
  }

  private double[] row(String weight, int row) {
    float[] w = weights.getOrDefault(weight, new float[0]);
    double[] result = new double[CONFIG.hiddenSize()];
    for (int i = 0; i < result.length; i++) {
      result[i] = w[row * result.length + i];
    }
    return result;
  }

  private static void add(double[] x, double[] delta) {
    for (int i = 0; i < x.length; i++) {
      x[i] += delta[i];
    }
  }
}
