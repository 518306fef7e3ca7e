package dev.sluice.worker.model;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.sluice.common.config.Nearest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The models that can be fetched by name.
 *
 * <p>Threading: immutable.
 */
final class ModelCatalogue {
  private static final String RESOURCE = "catalogue.yaml";

  private final List<CatalogueEntry> entries;

  ModelCatalogue(List<CatalogueEntry> entries) {
    this.entries = List.copyOf(entries);
  }

  /** The catalogue that comes with the program. */
  static ModelCatalogue builtIn() {
    try (InputStream in = ModelCatalogue.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is not packed with " + ModelCatalogue.class);
      }
      List<CatalogueEntry> entries = new ArrayList<>();
      for (JsonNode entry : new YAMLMapper().readTree(in)) {
        entries.add(entry(entry));
      }
      return new ModelCatalogue(entries);
    } catch (IOException e) {
      throw new UncheckedIOException(RESOURCE, e);
    }
  }

  List<CatalogueEntry> entries() {
    return entries;
  }

  /** The model of a name or alias, upper and lower case alike. */
  Optional<CatalogueEntry> find(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return entries.stream()
        .filter(entry -> entry.id().equals(wanted) || entry.aliases().contains(wanted))
        .findFirst();
  }

  /**
   * The model of a name.
   *
   * @throws ModelStoreException if there is none; names the nearest
   */
  CatalogueEntry get(String name) {
    return find(name)
        .orElseThrow(() ->
            new ModelStoreException(
                "model '%s': not known; did you mean '%s'? (expected: a path or one of %s)"
                    .formatted(
                        name, nearest(name), entries.stream().map(CatalogueEntry::id).toList())));
  }

  private String nearest(String name) {
    String wanted = name.toLowerCase(Locale.ROOT);
    return entries.stream()
        .min(
            Comparator.comparingInt(entry ->
                Stream.concat(Stream.of(entry.id()), entry.aliases().stream())
                    .mapToInt(known -> Nearest.distance(wanted, known))
                    .min()
                    .orElse(Integer.MAX_VALUE)))
        .map(CatalogueEntry::id)
        .orElse("");
  }

  private static CatalogueEntry entry(JsonNode node) {
    List<String> aliases = new ArrayList<>();
    node.path("aliases").forEach(alias -> aliases.add(alias.asText()));
    List<ModelSource> sources = new ArrayList<>();
    node.required("sources").forEach(source -> sources.add(source(source)));
    return new CatalogueEntry(
        node.required("id").asText(),
        aliases,
        node.required("description").asText(),
        node.required("file").asText(),
        node.required("bytes").asLong(),
        node.required("sha256").asText(),
        sources);
  }

  private static ModelSource source(JsonNode node) {
    if (node.has("url")) {
      return new ModelSource.Web(URI.create(node.required("url").asText()));
    }
    return new ModelSource.PythonPackage(
        node.required("requirement").asText(),
        node.required("member").asText(),
        node.required("download-bytes").asLong());
  }
}
