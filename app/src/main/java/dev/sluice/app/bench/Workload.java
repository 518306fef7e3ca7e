package dev.sluice.app.bench;

import java.util.Iterator;

/** Where jobs come from. The same seed gives the same jobs, whatever the pace. */
interface Workload {
  /** All jobs, made as they are asked for. */
  Iterator<Job> jobs(TokenSource tokens);

  /** How many jobs there are. */
  int size();
}
