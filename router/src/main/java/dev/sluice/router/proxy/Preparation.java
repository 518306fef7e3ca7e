package dev.sluice.router.proxy;

import dev.sluice.router.prompt.Prompts;
import java.util.random.RandomGenerator;

/**
 * What requests are completed with.
 *
 * @param random makes up seeds and request ids
 * @param prompts tokenizes
 */
record Preparation(RandomGenerator random, Prompts prompts) {}
