package dev.sluice.worker.service;

import dev.sluice.worker.constraint.Constraints;
import dev.sluice.worker.engine.Engine;

/**
 * What the services need once the model is loaded.
 *
 * @param engine runs the requests
 * @param model what is served
 * @param profile what does not change
 * @param watch pushes state to routers
 * @param telemetry measures calls
 * @param validator checks requests
 * @param constraints compiles what outputs must conform to
 */
record WorkerCore(
    Engine engine,
    ServedModel model,
    WorkerProfile profile,
    WatchHub watch,
    CallTelemetry telemetry,
    RequestValidator validator,
    Constraints constraints) {}
