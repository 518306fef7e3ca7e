package dev.sluice.router.page;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * The files of the page, which are part of the jar. Only these are ever served, by name.
 *
 * <p>Threading: any thread; immutable.
 */
final class Assets {
  private static final String HTML = "text/html; charset=utf-8";
  private static final String CSS = "text/css; charset=utf-8";
  private static final String SCRIPT = "text/javascript; charset=utf-8";
  private static final int TAG_BYTES = 12;

  /** Path to name and type. */
  private static final Map<String, String[]> FILES = files();

  private final Map<String, Asset> byPath = new LinkedHashMap<>();

  /** One file; {@code tag} changes with its content. */
  static final class Asset {
    private final String type;
    private final String tag;
    private final byte[] content;

    private Asset(String type, byte[] content) {
      this.type = type;
      this.content = content;
      tag = "\"" + HexFormat.of().formatHex(sha256(content), 0, TAG_BYTES) + "\"";
    }

    String type() {
      return type;
    }

    String tag() {
      return tag;
    }

    byte[] content() {
      return content;
    }
  }

  Assets() {
    FILES.forEach((path, file) -> byPath.put(path, new Asset(file[1], read(file[0]))));
  }

  private static Map<String, String[]> files() {
    Map<String, String[]> files = new LinkedHashMap<>();
    files.put("/", new String[] {"index.html", HTML});
    files.put("/page/page.css", new String[] {"page.css", CSS});
    files.put("/page/icon.svg", new String[] {"icon.svg", "image/svg+xml"});
    for (String module :
        new String[] {"main", "feed", "format", "charts", "fleet", "requests", "prompt"}) {
      files.put("/page/" + module + ".js", new String[] {module + ".js", SCRIPT});
    }
    return files;
  }

  /** What is served at a path. */
  Optional<Asset> find(String path) {
    return Optional.ofNullable(byPath.get(path));
  }

  private static byte[] read(String name) {
    try (InputStream in =
        Objects.requireNonNull(Assets.class.getResourceAsStream(name), name + " is missing")) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] sha256(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
