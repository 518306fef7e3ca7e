package dev.sluice.worker.engine;

/**
 * Which blocks the prefix cache holds at one moment.
 *
 * @param hashes of the blocks: high, low, high, low, ...
 * @param position of the {@link CacheJournal} at that moment
 */
@SuppressWarnings("ArrayRecordComponent") // a message, never compared
public record CacheContent(long[] hashes, long position) {}
