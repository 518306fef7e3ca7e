/** Tests of the engine that stands before a Triton server, against a fake one over real gRPC. */
@NullMarked
package dev.sluice.worker.triton;

import org.jspecify.annotations.NullMarked;
