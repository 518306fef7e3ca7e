package dev.sluice.router.fleet;

import dev.sluice.v1.Model;
import java.util.Optional;

/**
 * One worker at one moment.
 *
 * @param reason why it is not ready, for people; empty if it is
 * @param report what it last said; empty until its first complete snapshot
 * @param incarnation grows each time it becomes ready: what failed before may do better now
 * @param foreign what it has for others than this router, as of its last report of load
 */
public record WorkerView(
    WorkerAddress address,
    WorkerStatus status,
    String reason,
    Optional<WorkerReport> report,
    long incarnation,
    Foreign foreign,
    WorkerLink link) {

  /** Whether {@code name} is the id or an alias of its model. */
  public boolean serves(String name) {
    if (report.isEmpty()) {
      return false;
    }
    Model model = report.get().model();
    return model.getId().equals(name) || model.getAliasesList().contains(name);
  }

  /** Whether its model is the one that is meant; no name means any. */
  public boolean answersTo(String name) {
    return report.isPresent() && (name.isEmpty() || serves(name));
  }

  /** Whether it takes requests for the model of this id or alias. */
  public boolean takes(String name) {
    return status == WorkerStatus.READY && serves(name);
  }

  /** Its id, or its address as long as it has not told. */
  public String name() {
    return report.isEmpty() ? address.toString() : report.get().identity().getWorkerId();
  }

  /** Requests that run or wait there for others than this router. */
  public int foreignRequests() {
    return foreign.requests();
  }

  /** Prompt tokens that it is yet to compute: ours as of now, those of others as last reported. */
  public long pendingPrefillTokens() {
    return link.charged().prefillTokens() + foreign.prefillTokens();
  }

  /**
   * Whether it should get a prompt of so many tokens now. A worker that has less to compute than it
   * allows takes one of any length: a long prompt would otherwise wait behind short ones for ever.
   */
  public boolean hasRoom(int promptTokens) {
    long limit = report.map(r -> r.limits().getMaxPendingPrefillTokens()).orElse(0L);
    long pending = pendingPrefillTokens();
    return limit == 0 || promptTokens == 0 || pending < limit;
  }
}
