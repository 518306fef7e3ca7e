package dev.sluice.common.fair;

/**
 * What is served before a newcomer would be.
 *
 * @param tokens queued tokens that come first
 * @param entries queued entries that come first; a part of an entry counts as such
 * @param virtualFinish {@link FairEntry#virtualFinish} of the newcomer
 */
public record Backlog(double tokens, double entries, double virtualFinish) {}
