/**
 * The numeric kernels in Java: the Vector API on native memory. Starting points: {@code
 * PagedAttention}, {@code Lanes}.
 *
 * <p><b>Bits.</b> A kernel gives the same bits interpreted and compiled, with vectors of any width,
 * for a row alone and in a batch. So a kernel uses only operations that are exact or correctly
 * rounded (add, multiply, fma, divide, compare, largest, integer operations on the bits); no sum of
 * floats by {@code reduceLanes} and no transcendental of the Vector API, whose results change when
 * the just-in-time compiler takes over; sums over lanes in one fixed tree over 16 logical lanes.
 */
@NullMarked
package dev.sluice.worker.kernel;

import org.jspecify.annotations.NullMarked;
