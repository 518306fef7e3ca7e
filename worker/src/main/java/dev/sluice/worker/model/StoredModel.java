package dev.sluice.worker.model;

import java.nio.file.Path;

/**
 * A model of the catalogue and whether it is here.
 *
 * @param id its name
 * @param description one line, for people
 * @param path where its file is or will be
 * @param bytes size of the file
 * @param present whether the file is here, whole
 */
public record StoredModel(String id, String description, Path path, long bytes, boolean present) {}
