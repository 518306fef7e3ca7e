/**
 * Passes calls on to workers: messages as bytes, flow control end to end, another worker before the
 * first message. Starting point: {@code Proxy}.
 */
@NullMarked
package dev.sluice.router.proxy;

import org.jspecify.annotations.NullMarked;
