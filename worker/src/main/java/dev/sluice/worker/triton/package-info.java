/**
 * Stands before a model on a Triton Inference Server: queueing, admission, cancellation, deadlines,
 * drain and measuring are done here, computing and paging there.
 */
@NullMarked
package dev.sluice.worker.triton;

import org.jspecify.annotations.NullMarked;
