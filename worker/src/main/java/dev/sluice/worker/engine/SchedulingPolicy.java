package dev.sluice.worker.engine;

/** In which order requests are computed. */
public enum SchedulingPolicy {
  /** By priority, then fairly over the tenants by tokens and weights, then by arrival. */
  FAIR,
  /** By arrival alone, whoever asks and however urgently. */
  FCFS
}
