package dev.sluice.router.fleet;

import java.util.Set;
import java.util.function.Consumer;

/**
 * Finds workers, and goes on looking.
 *
 * <p>Threading: started and closed on the fleet loop, and tells there what it finds.
 */
public interface Discovery {
  /** Where it looks, as it was configured; for people. */
  String source();

  /**
   * Tells all workers that there are as soon as it knows, and again whenever they change, until the
   * answer is closed. As long as it cannot find out it says nothing: those that it told of stay.
   */
  Subscription start(Consumer<Set<WorkerAddress>> found);
}
