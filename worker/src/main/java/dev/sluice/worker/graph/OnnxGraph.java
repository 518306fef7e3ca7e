package dev.sluice.worker.graph;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import dev.sluice.worker.ort.ElementType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An ONNX graph under construction, and its serialized {@code ModelProto}. Only what a decoder
 * needs: nodes with int and float attributes, tensors as inputs and outputs, external initializers.
 *
 * <p>The numbers in here are field numbers and enumeration values of {@code onnx.proto}.
 *
 * <p>Threading: confined to its owner.
 */
final class OnnxGraph {
  /** Domain of the operators that ONNX Runtime adds. */
  static final String MICROSOFT = "com.microsoft";

  /** Domain of the operators that Sluice implements. */
  static final String SLUICE = "sluice";

  private static final long IR_VERSION = 10;
  private static final long ONNX_OPSET = 21;

  /** An attribute's value. */
  sealed interface Attribute {
    record Int(long value) implements Attribute {}

    record Real(float value) implements Attribute {}
  }

  /** Attributes in the order given, for a node that is being written. */
  static final class Attributes {
    private final Map<String, Attribute> values = new LinkedHashMap<>();

    Attributes with(String name, long value) {
      values.put(name, new Attribute.Int(value));
      return this;
    }

    Attributes with(String name, float value) {
      values.put(name, new Attribute.Real(value));
      return this;
    }
  }

  private interface Writer {
    void write(CodedOutputStream out) throws IOException;
  }

  private final List<ByteString> nodes = new ArrayList<>();
  private final List<ByteString> inputs = new ArrayList<>();
  private final List<ByteString> outputs = new ArrayList<>();
  private final List<ByteString> initializers = new ArrayList<>();
  private long initializersEnd; // in the file

  /**
   * Adds a node.
   *
   * @param domain empty for ONNX itself
   * @param inputs names; an empty one is an optional input left out
   * @param outputs names; an empty one is an optional output left out
   */
  void node(
      String domain,
      String type,
      List<String> inputs,
      List<String> outputs,
      Attributes attributes) {
    nodes.add(
        message(out -> {
          for (String input : inputs) {
            out.writeString(1, input);
          }
          for (String output : outputs) {
            out.writeString(2, output);
          }
          out.writeString(3, type + "." + outputs.getFirst());
          out.writeString(4, type);
          for (Map.Entry<String, Attribute> attribute : attributes.values.entrySet()) {
            out.writeBytes(5, attribute(attribute.getKey(), attribute.getValue()));
          }
          out.writeString(7, domain);
        }));
  }

  /**
   * Adds an input.
   *
   * @param shape numbers, or names for dimensions that change
   */
  void input(String name, ElementType type, String... shape) {
    inputs.add(valueInfo(name, type, shape));
  }

  /** Adds an output; shape as for an input. */
  void output(String name, ElementType type, String... shape) {
    outputs.add(valueInfo(name, type, shape));
  }

  /**
   * Adds a constant. Its content is in the file {@link DecoderGraph#WEIGHTS}, after that of the one
   * added before, or is given to the session by its name.
   */
  void initializer(Initializer initializer) {
    long offset = Initializer.offsetAfter(initializersEnd);
    initializersEnd = offset + initializer.bytes();
    initializers.add(
        message(out -> {
          for (long dimension : initializer.shape()) {
            out.writeInt64(1, dimension);
          }
          out.writeInt32(2, initializer.type().number());
          out.writeString(8, initializer.name());
          out.writeBytes(13, entry("location", DecoderGraph.WEIGHTS));
          out.writeBytes(13, entry("offset", Long.toString(offset)));
          out.writeBytes(13, entry("length", Long.toString(initializer.bytes())));
          int external = 1;
          out.writeEnum(14, external);
        }));
  }

  /**
   * Adds a small constant that is part of the model.
   *
   * @param content little-endian
   */
  void constant(String name, ElementType type, List<Long> shape, byte[] content) {
    initializers.add(
        message(out -> {
          for (long dimension : shape) {
            out.writeInt64(1, dimension);
          }
          out.writeInt32(2, type.number());
          out.writeString(8, name);
          out.writeByteArray(9, content);
        }));
  }

  /** The {@code ModelProto}. */
  byte[] toByteArray() {
    return message(
            out -> {
              out.writeInt64(1, IR_VERSION);
              out.writeString(2, "sluice");
              out.writeBytes(7, message(this::writeGraph));
              out.writeBytes(8, opset("", ONNX_OPSET));
              out.writeBytes(8, opset(MICROSOFT, 1));
              out.writeBytes(8, opset(SLUICE, 1));
            })
        .toByteArray();
  }

  private void writeGraph(CodedOutputStream out) throws IOException {
    for (ByteString node : nodes) {
      out.writeBytes(1, node);
    }
    out.writeString(2, "decoder");
    for (ByteString initializer : initializers) {
      out.writeBytes(5, initializer);
    }
    for (ByteString input : inputs) {
      out.writeBytes(11, input);
    }
    for (ByteString output : outputs) {
      out.writeBytes(12, output);
    }
  }

  private static ByteString attribute(String name, Attribute attribute) {
    return message(out -> {
      out.writeString(1, name);
      switch (attribute) {
        case Attribute.Real(float value) -> {
          out.writeFloat(2, value);
          out.writeEnum(20, 1);
        }
        case Attribute.Int(long value) -> {
          out.writeInt64(3, value);
          out.writeEnum(20, 2);
        }
      }
    });
  }

  private static ByteString valueInfo(String name, ElementType type, String... shape) {
    ByteString dimensions =
        message(out -> {
          for (String dimension : shape) {
            out.writeBytes(1, dimension(dimension));
          }
        });
    ByteString tensor =
        message(out -> {
          out.writeInt32(1, type.number());
          out.writeBytes(2, dimensions);
        });
    return message(out -> {
      out.writeString(1, name);
      out.writeBytes(2, message(typeOut -> typeOut.writeBytes(1, tensor)));
    });
  }

  private static ByteString dimension(String dimension) {
    return message(out -> {
      if (Character.isDigit(dimension.charAt(0))) {
        out.writeInt64(1, Long.parseLong(dimension));
      } else {
        out.writeString(2, dimension);
      }
    });
  }

  private static ByteString entry(String key, String value) {
    return message(out -> {
      out.writeString(1, key);
      out.writeString(2, value);
    });
  }

  private static ByteString opset(String domain, long version) {
    return message(out -> {
      out.writeString(1, domain);
      out.writeInt64(2, version);
    });
  }

  private static ByteString message(Writer writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      writer.write(out);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return ByteString.copyFrom(bytes.toByteArray());
  }
}
