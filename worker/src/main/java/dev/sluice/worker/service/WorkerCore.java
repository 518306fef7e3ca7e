package dev.sluice.worker.service;

import dev.sluice.worker.constraint.Constraints;
import dev.sluice.worker.engine.GenerationEngine;
import java.util.Optional;

/**
 * What the services need once the model is loaded.
 *
 * @param engine runs the requests
 * @param model what is served
 * @param profile what does not change
 * @param watch pushes state to routers
 * @param telemetry measures calls
 * @param validator checks requests
 * @param constraints compiles what outputs must conform to, if the engine obeys constraints
 */
record WorkerCore(
    GenerationEngine engine,
    ServedModel model,
    WorkerProfile profile,
    WatchHub watch,
    CallTelemetry telemetry,
    RequestValidator validator,
    Optional<Constraints> constraints) {}
