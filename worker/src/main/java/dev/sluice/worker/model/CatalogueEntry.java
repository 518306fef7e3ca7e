package dev.sluice.worker.model;

import java.util.List;

/**
 * A model that can be fetched by name.
 *
 * @param id its name; also the name of its folder in the store
 * @param aliases other names for it
 * @param description one line, for people
 * @param file name of its file in the store
 * @param bytes size of the file
 * @param sha256 of the file, in hex
 * @param sources tried in this order
 */
record CatalogueEntry(
    String id,
    List<String> aliases,
    String description,
    String file,
    long bytes,
    String sha256,
    List<ModelSource> sources) {
  CatalogueEntry {
    aliases = List.copyOf(aliases);
    sources = List.copyOf(sources);
  }
}
