/** The worker process. Starting points: {@code WorkerCommand}, {@code WorkerMain}. */
@NullMarked
package dev.sluice.worker;

import org.jspecify.annotations.NullMarked;
