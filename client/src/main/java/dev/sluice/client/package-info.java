/**
 * The Java client of Sluice.
 *
 * <p>Starting points: {@link dev.sluice.client.SluiceClient}, {@link
 * dev.sluice.client.GenerateOptions}, {@link dev.sluice.client.TokenStream}.
 */
@NullMarked
package dev.sluice.client;

import org.jspecify.annotations.NullMarked;
