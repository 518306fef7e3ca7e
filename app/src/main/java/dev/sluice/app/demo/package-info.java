/** The first thing that people run. */
@NullMarked
package dev.sluice.app.demo;

import org.jspecify.annotations.NullMarked;
