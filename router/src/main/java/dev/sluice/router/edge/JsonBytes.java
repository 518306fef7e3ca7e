package dev.sluice.router.edge;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** JSON documents, written to memory. Threading: no state but Jackson's, which is thread-safe. */
public final class JsonBytes {
  private static final JsonFactory FACTORY = new JsonFactory();

  private JsonBytes() {}

  /** Writes a document or a part of one. */
  public interface Writer {
    void write(JsonGenerator out) throws IOException;
  }

  public static byte[] of(Writer writer) {
    return of("", writer, "");
  }

  /** A document between two ASCII texts. */
  public static byte[] of(String before, Writer writer, String after) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    bytes.writeBytes(before.getBytes(StandardCharsets.US_ASCII));
    try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
      writer.write(out);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot be: it is written to memory", e);
    }
    bytes.writeBytes(after.getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }
}
