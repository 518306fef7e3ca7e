package dev.sluice.common.config;

/**
 * A key that somebody set.
 *
 * @param key the full key, {@code scheduler.max-sequences}
 * @param source where, for messages: {@code worker.yaml:7}, {@code SLUICE_PORT}, {@code --port}
 */
record Given(String key, Raw raw, String source) {}
