package dev.sluice.worker.model;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;

/** Opens model files of whatever format; the content says which, not the name. */
public final class Checkpoints {
  private static final String SUPPORTED =
      "a GGUF file, or a folder with config.json and *.safetensors";
  private static final byte[] GGUF = {'G', 'G', 'U', 'F'};

  private Checkpoints() {}

  /**
   * Opens and checks a model whose content hash may be known already.
   *
   * @throws ModelFileException if it cannot be used
   */
  public static Checkpoint open(Path path, ContentHashes hashes) {
    return new RememberedCheckpoint(path, open(path), hashes);
  }

  /**
   * Opens and checks a model; close it to unmap its files.
   *
   * @throws ModelFileException if it cannot be used; names what was found and what was expected
   */
  public static Checkpoint open(Path path) {
    if (Files.isDirectory(path)) {
      if (!Files.exists(path.resolve(HfConfig.FILE))) {
        throw new ModelFileException(
            path + ": a folder without " + HfConfig.FILE + " (expected: " + SUPPORTED + ")");
      }
      return SafetensorsCheckpoint.open(path);
    }
    if (!Files.exists(path)) {
      throw new ModelFileException(path + ": no such file (expected: " + SUPPORTED + ")");
    }
    byte[] head = head(path);
    if (!Arrays.equals(head, GGUF)) {
      throw new ModelFileException(
          "%s: begins with the bytes '%s' (expected: %s)"
              .formatted(path, HexFormat.of().formatHex(head), SUPPORTED));
    }
    return GgufCheckpoint.open(path);
  }

  private static byte[] head(Path path) {
    try (InputStream in = Files.newInputStream(path)) {
      return in.readNBytes(GGUF.length);
    } catch (IOException e) {
      throw new ModelFileException(path + ": cannot be read: " + e, e);
    }
  }
}
