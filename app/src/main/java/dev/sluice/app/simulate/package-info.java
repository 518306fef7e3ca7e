/** {@code sluice simulate}. Starting point: {@code SimulateCommand}. */
@NullMarked
package dev.sluice.app.simulate;

import org.jspecify.annotations.NullMarked;
