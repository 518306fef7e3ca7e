package dev.sluice.router.policy;

import java.util.OptionalLong;

/**
 * What ties a request to others that should meet it at one worker. Equal at every router.
 *
 * @param session hash of the conversation's id; empty if it has none
 * @param prefix hash of the beginning of the prompt; empty if there is no prompt
 */
public record Affinity(OptionalLong session, OptionalLong prefix) {
  public static final Affinity NONE = new Affinity(OptionalLong.empty(), OptionalLong.empty());
}
