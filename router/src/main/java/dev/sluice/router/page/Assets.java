package dev.sluice.router.page;

import dev.sluice.common.digest.Digests;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
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
  private static final List<String> MODULES =
      List.of(
          "main.js", "feed.js", "format.js", "charts.js", "fleet.js", "requests.js", "prompt.js");
  private static final int TAG_BYTES = 12;

  private record Source(String name, String type) {}

  private final Map<String, Asset> byPath = new HashMap<>();

  /** One file; {@code tag} changes with its content. */
  static final class Asset {
    private final String type;
    private final String tag;
    private final byte[] content;

    private Asset(String type, byte[] content) {
      this.type = type;
      this.content = content;
      tag = "\"" + HexFormat.of().formatHex(Digests.sha256(content), 0, TAG_BYTES) + "\"";
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
    add("/", new Source("index.html", HTML));
    add("/page/page.css", new Source("page.css", CSS));
    add("/page/icon.svg", new Source("icon.svg", "image/svg+xml"));
    for (String module : MODULES) {
      add("/page/" + module, new Source(module, SCRIPT));
    }
  }

  private void add(String path, Source source) {
    byPath.put(path, new Asset(source.type(), read(source.name())));
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
}
