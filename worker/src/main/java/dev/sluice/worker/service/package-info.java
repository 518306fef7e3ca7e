/**
 * The worker's gRPC services: requests become engine commands, engine events become messages.
 * Starting points: {@code GenerationEndpoint}, {@code GenerationCall}, {@code WorkerEndpoint}.
 */
@NullMarked
package dev.sluice.worker.service;

import org.jspecify.annotations.NullMarked;
