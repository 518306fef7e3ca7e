/** What commands share: the terminal, where to connect, how output looks. */
@NullMarked
package dev.sluice.app.cli;

import org.jspecify.annotations.NullMarked;
