package dev.sluice.common.fair;

/**
 * What is served before a newcomer would be.
 *
 * @param tokens queued tokens that come first
 * @param entries queued entries that come first; a part of an entry counts as such
 */
public record Backlog(double tokens, double entries) {}
