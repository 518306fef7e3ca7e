/** Whether this machine can run Sluice, and what would make it better. */
@NullMarked
package dev.sluice.app.doctor;

import org.jspecify.annotations.NullMarked;
