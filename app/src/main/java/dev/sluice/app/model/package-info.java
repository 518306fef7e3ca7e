/** Commands about models on this machine. */
@NullMarked
package dev.sluice.app.model;

import org.jspecify.annotations.NullMarked;
