package dev.sluice.worker.engine;

import dev.sluice.common.fair.Backlog;
import dev.sluice.common.list.IntrusiveList;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Decides what each step computes.
 *
 * <p>Requests run (hold blocks, and a row for each choice) or wait. One token of every sequence
 * that decodes comes first; what is left of the step goes to the prompts of all requests, running
 * or waiting, in the order that {@link RequestOrder} says, as far as the step's time allows ({@link
 * StepBudget}). A request that is next but finds no row or no blocks may take them from one that is
 * of a lower class, or whose prompt is not its tenant's turn; otherwise it waits, and nobody passes
 * it. If sequences that decode need blocks, the request loses its own that costs least to compute
 * again, of the lowest class; it keeps its place.
 *
 * <p>Everybody gets there: none is let in whose worst case exceeds the pool; each pass in which a
 * request loses its blocks gives a token to another; a request that has lost them a few times is
 * spared as long as there are others, and of those that are spared the oldest never loses any.
 *
 * <p>Threading: engine thread. A pass takes time in proportion to the sequences that run, however
 * many wait, and allocates nothing.
 */
final class Scheduler {
  private final KvBlocks blocks;
  private final int maxBatchedTokens;
  private final int maxSequences;
  private final int prefillChunk;
  private final RequestOrder order;
  private final StepBudget budget;
  private final Speculation speculation;
  private final IntrusiveList<Request> running = new IntrusiveList<>();
  private final IntrusiveList<Request> waiting = new IntrusiveList<>(); // in no order
  private final IntrusiveList<Request> hopeless = new IntrusiveList<>();
  private final Request[] prefills; // [maxSequences]; those that run
  private final StepPlan plan;
  private int prefillCount;

  /**
   * A request whose prompt, begun in an earlier step, ends in this one. With a goal the step then
   * takes no prompts of other tenants: they would only delay the first token.
   */
  private @Nullable Request ending;

  private final WaitingTokens waitingTokens;
  private int rows; // of the requests that run: their choices
  private long preemptions;

  Scheduler(
      ModelRunner.Geometry geometry,
      int prefillChunk,
      SchedulingConfig config,
      KvBlocks blocks,
      Speculation speculation) {
    this.blocks = blocks;
    this.speculation = speculation;
    this.maxBatchedTokens = geometry.maxBatchedTokens();
    this.maxSequences = geometry.maxSequences();
    this.prefillChunk = prefillChunk;
    this.order = new RequestOrder(config);
    this.budget = new StepBudget(config, geometry);
    this.prefills = new Request[maxSequences];
    this.plan = new StepPlan(maxSequences);
    this.waitingTokens = new WaitingTokens(geometry.blockSize());
  }

  BlockPool pool() {
    return blocks.pool();
  }

  RequestOrder order() {
    return order;
  }

  StepBudget budget() {
    return budget;
  }

  int runningCount() {
    return running.size();
  }

  int waitingCount() {
    return waiting.size();
  }

  boolean isEmpty() {
    return running.isEmpty() && waiting.isEmpty();
  }

  /** One of the requests, if there is one. */
  @Nullable Request any() {
    return running.isEmpty() ? waiting.first() : running.first();
  }

  /** Requests of which a choice gets a token in every step. */
  List<String> decodingRequestIds() {
    List<String> ids = new ArrayList<>();
    for (Request r = running.first(); r != null; r = r.next()) {
      if (isDecoding(r)) {
        ids.add(r.requestId());
      }
    }
    return ids;
  }

  /** Times that a request lost its blocks. */
  long preemptions() {
    return preemptions;
  }

  /**
   * Tokens to be computed before all requests get their next output tokens; what several of them
   * share counts once.
   */
  long pendingPrefillTokens() {
    long tokens = waitingTokens.tokens();
    blocks.beginCount();
    for (Request r = running.first(); r != null; r = r.next()) {
      tokens += blocks.pendingTokens(r);
    }
    return tokens;
  }

  /** Tokens to be computed for requests that run, as far as they come before a newcomer's. */
  double runningPrefillTokens(GenerationTask newcomer, Backlog backlog) {
    double tokens = 0;
    for (Request r = running.first(); r != null; r = r.next()) {
      int pending = r.pendingPrefillTokens();
      if (pending > 0) {
        tokens += order.tokensBefore(newcomer, backlog, r, pending);
      }
    }
    return tokens;
  }

  /** Prompt tokens of a request that are to be computed, as far as is known before it runs. */
  int uncachedTokens(Request request) {
    return Math.max(1, request.length() - blocks.cachedTokens(request));
  }

  /** Blocks that no request owns. */
  int availableBlocks() {
    return blocks.pool().available();
  }

  /** Takes a new request. */
  void add(Request request, long nowNanos) {
    blocks.add(request);
    order.add(request, uncachedTokens(request), nowNanos);
    await(request);
  }

  /** Forgets a request and frees its blocks. */
  void remove(Request request) {
    if (request.isIn(running)) {
      stopRunning(request);
    } else if (request.isIn(waiting)) {
      giveUp(request);
    } else {
      hopeless.remove(request);
    }
    order.close(request);
  }

  /**
   * Ends one choice of a request and frees its blocks.
   *
   * @param keptTokens output tokens of it that count
   */
  void end(Sequence sequence, int keptTokens) {
    Request request = sequence.request();
    boolean waits = request.isIn(waiting);
    int before = request.length();
    request.end(sequence, keptTokens);
    waitingTokens.adjust(waits ? request.length() - before : 0);
    rows -= waits ? 0 : 1;
    blocks.release(sequence);
  }

  /** A request whose deadline has become impossible; to be failed, and removed thereby. */
  @Nullable Request hopeless() {
    return hopeless.first();
  }

  /**
   * The next step. It is valid until the next call; empty only if there are no requests but {@link
   * #hopeless} ones.
   */
  StepPlan plan(long nowNanos) {
    plan.clear();
    blocks.beginPass();
    budget.begin();
    displace(nowNanos);
    boolean crowded = makeRoomForDecodes(nowNanos);
    planDecodes();
    // after a preemption nobody is let in: the victim would get its blocks back at once
    planPrefills(nowNanos, !crowded);
    if (plan.tokens() == plan.decodes() && speculation.isPossible(plan.size())) {
      planDrafts();
    }
    return plan;
  }

  /** Fills a step in which all sequences decode with drafts. */
  private void planDrafts() {
    int sequences = plan.size();
    for (int i = 0; i < sequences; i++) {
      Sequence s = plan.sequence(i);
      int most = Math.min(tokensLeft(), maxSequences - plan.tokens());
      int drafts = blocks.growDrafts(s, speculation.propose(s, most, sequences), rows);
      plan.addDrafts(i, drafts);
      for (int draft = 1; draft <= drafts; draft++) {
        budget.addDecode(s.computed() + draft);
      }
    }
  }

  /** Of a sequence's drafts so many were right: they are output like any other tokens. */
  void accept(Sequence sequence, int count) {
    order.charge(sequence.request(), count);
  }

  /** Lets those in that are next and may take the place of others. */
  private void displace(long nowNanos) {
    if (waiting.isEmpty()) {
      return;
    }
    Request next = nextWaiting(nowNanos);
    while (next != null && !fits(next) && makeRoomFor(next, nowNanos)) {
      admit(next, nowNanos);
      next = nextWaiting(nowNanos);
    }
  }

  /** Takes row and blocks from others, if there are such, and enough. */
  private boolean makeRoomFor(Request next, long nowNanos) {
    Request row = hasRows(next) ? null : victim(next, true, nowNanos);
    if (!hasRows(next) && (row == null || rows - row.live() + next.live() > maxSequences)) {
      return false;
    }
    int available = pool().available() + (row == null ? 0 : row.blocks());
    for (Request r = running.first(); r != null; r = r.next()) {
      available += r != row && order.outranks(next, r) ? r.blocks() : 0;
    }
    if (available < pool().blocksFor(next.length()) + rows) {
      return false;
    }
    if (row != null) {
      preempt(row, nowNanos);
    }
    while (!fits(next)) {
      Request victim = victim(next, false, nowNanos);
      if (victim == null) {
        return false;
      }
      preempt(victim, nowNanos);
    }
    return true;
  }

  /** Whom a request that waits displaces, if there is somebody and no prompt goes before it. */
  private @Nullable Request victim(Request next, boolean rowIsEnough, long nowNanos) {
    Request victim = null;
    for (Request r = running.first(); r != null; r = r.next()) {
      boolean prefilling = isPrefilling(r);
      if (prefilling && order.precedes(r, next, nowNanos)) {
        return null;
      }
      boolean yields =
          order.outranks(next, r) || (rowIsEnough && prefilling && order.takesRow(next, r));
      if (yields && (victim == null || order.isBetterVictim(r, victim))) {
        victim = r;
      }
    }
    return victim;
  }

  /** Preempts until all that decode can go on; returns whether it had to. */
  private boolean makeRoomForDecodes(long nowNanos) {
    int missing = -pool().available();
    for (Request r = running.first(); r != null; r = r.next()) {
      missing += blocks.neededToDecode(r);
    }
    boolean crowded = missing > 0;
    while (missing > 0) {
      Request victim = null;
      for (Request r = running.first(); r != null; r = r.next()) {
        if (victim == null || order.isBetterVictim(r, victim)) {
          victim = r;
        }
      }
      if (victim == null) {
        throw new IllegalStateException(missing + " blocks missing and nobody runs");
      }
      missing -= blocks.neededToDecode(victim);
      int before = pool().available();
      preempt(victim, nowNanos);
      missing -= pool().available() - before;
    }
    return crowded;
  }

  private void planDecodes() {
    prefillCount = 0;
    for (Request r = running.first(); r != null; r = r.next()) {
      if (isPrefilling(r)) {
        prefills[prefillCount++] = r;
      }
      for (int choice = 0; choice < r.choices() && tokensLeft() > 0; choice++) {
        Sequence s = r.sequence(choice);
        if (s.isActive() && s.isDecoding()) {
          blocks.growDecode(s);
          plan.addDecode(s);
          budget.addDecode(s.computed());
          order.charge(r, s.charge(s.length()));
        }
      }
    }
  }

  private void planPrefills(long nowNanos, boolean admitting) {
    Request next = admitting ? nextWaiting(nowNanos) : null;
    ending = null;
    while (tokensLeft() > 0 && budget.hasTime()) {
      int best = firstPrefill(nowNanos);
      boolean admits = next != null && (best < 0 || order.precedes(next, prefills[best], nowNanos));
      Request candidate = admits ? next : best < 0 ? null : prefills[best];
      if (candidate == null || delaysEnding(candidate)) {
        return;
      }
      if (!admits) {
        planPrefill(candidate);
        prefills[best] = prefills[--prefillCount];
      } else if (fits(candidate)) {
        admit(candidate, nowNanos);
        planPrefill(candidate);
        next = nextWaiting(nowNanos);
      } else {
        next = null; // nobody passes it
      }
    }
  }

  /**
   * Index of the first in order of the prompts that run and are not planned yet; below 0 if none.
   */
  private int firstPrefill(long nowNanos) {
    int best = -1;
    for (int i = 0; i < prefillCount; i++) {
      if (best < 0 || order.precedes(prefills[i], prefills[best], nowNanos)) {
        best = i;
      }
    }
    return best;
  }

  private boolean delaysEnding(Request candidate) {
    return ending != null && !order.isSameTenant(ending, candidate);
  }

  private void planPrefill(Request request) {
    boolean done = true;
    for (int choice = 0; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      if (s.isActive() && !s.isDecoding()) {
        int most = plan.fitting(s, Math.min(prefillChunk, tokensLeft()));
        int claimed = most == 0 ? 0 : blocks.claimPrefill(s, most);
        int count = claimed == 0 ? 0 : budget.addPrefill(s.computed(), s.remaining(), claimed);
        if (count > 0) { // else another one computes in this step what it needs
          plan.addPrefill(s, count, blocks.rows(s, count));
          order.charge(request, s.charge(s.computed() + count));
        }
        done &= count == s.remaining();
      }
    }
    if (done) {
      order.prefilled(request);
      ending = budget.isBounded() && request.isScheduled() ? request : null;
    }
  }

  /** The request to let in next. Those that cannot meet their deadline any more are put aside. */
  private @Nullable Request nextWaiting(long nowNanos) {
    Request next = order.first(nowNanos);
    while (next != null && isHopeless(next, nowNanos)) {
      order.prefilled(next);
      giveUp(next);
      hopeless.addLast(next);
      next = order.first(nowNanos);
    }
    return next;
  }

  private boolean isHopeless(Request request, long nowNanos) {
    return !request.isScheduled()
        && request.task().deadlineNanos().isPresent()
        && request.task().deadlineNanos().getAsLong() - nowNanos
            < budget.leastPrefillNanos(request.length() - blocks.cachedTokens(request));
  }

  private static boolean isPrefilling(Request request) {
    for (int choice = 0; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      if (s.isActive() && !s.isDecoding()) {
        return true;
      }
    }
    return false;
  }

  private static boolean isDecoding(Request request) {
    for (int choice = 0; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      if (s.isActive() && s.isDecoding()) {
        return true;
      }
    }
    return false;
  }

  private boolean hasRows(Request request) {
    return rows + request.live() <= maxSequences;
  }

  /**
   * Whether a request can run. It gets blocks for all its tokens at once, and leaves one for each
   * choice that runs, so that it is not preempted again before its prefill has been of use.
   */
  private boolean fits(Request request) {
    return hasRows(request) && blocks.canStart(request, rows);
  }

  private void admit(Request request, long nowNanos) {
    order.take(request, nowNanos);
    request.admitted(nowNanos);
    waiting.remove(request);
    waitingTokens.start(request);
    blocks.start(request);
    running.addLast(request);
    rows += request.live();
  }

  private int tokensLeft() {
    return maxBatchedTokens - plan.tokens();
  }

  private void preempt(Request victim, long nowNanos) {
    stopRunning(victim);
    victim.preempted(nowNanos);
    order.putBack(victim, nowNanos);
    await(victim);
    preemptions++;
  }

  private void stopRunning(Request request) {
    running.remove(request);
    rows -= request.live();
    blocks.release(request);
    if (!waiting.isEmpty()) {
      waitingTokens.lost(request, blocks.foundBlocks(request));
    }
  }

  private void await(Request request) {
    waiting.addLast(request);
    waitingTokens.add(request, blocks.foundBlocks(request));
  }

  private void giveUp(Request request) {
    waiting.remove(request);
    waitingTokens.remove(request);
  }

  /** Audits the pool against the requests that run. */
  void checkIntegrity() {
    List<BlockTable> tables = new ArrayList<>();
    for (Request r = running.first(); r != null; r = r.next()) {
      for (int choice = 0; choice < r.choices(); choice++) {
        Sequence s = r.sequence(choice);
        if (s.table.size() < pool().blocksFor(s.computed()) && s.isActive()) {
          throw new IllegalStateException(
              r.requestId()
                  + " has "
                  + s.table.size()
                  + " blocks (expected: blocks for "
                  + s.computed()
                  + " tokens)");
        }
        tables.add(s.table);
      }
    }
    blocks.checkIntegrity(tables);
    for (Request r = waiting.first(); r != null; r = r.next()) {
      for (int choice = 0; choice < r.choices(); choice++) {
        int blocks = r.sequence(choice).table.size();
        if (blocks != 0) {
          throw new IllegalStateException(
              r.requestId() + " waits with " + blocks + " blocks (expected: none)");
        }
      }
    }
    waitingTokens.checkIntegrity(waiting);
    if (order.size() != waiting.size()) {
      throw new IllegalStateException(
          order.size() + " requests in the order (expected: " + waiting.size() + ")");
    }
  }
}
