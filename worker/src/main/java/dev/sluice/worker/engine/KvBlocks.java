package dev.sluice.worker.engine;

import java.util.List;

/**
 * Gives sequences their KV blocks, so that what several of them have in common is computed and held
 * once: prefixes through the prefix cache, the prompt of a request's choices by forks.
 *
 * <p>Of sequences that compute the same block, the first one in a pass <em>claims</em> it and the
 * others wait. Nothing is remembered from pass to pass but how much of the block is computed, so
 * whoever comes first in the next pass goes on with it, should the first be cancelled or preempted.
 *
 * <p>Threading: engine thread. Allocates nothing.
 */
final class KvBlocks {
  private final BlockPool pool;
  private final boolean copiesBlocks;
  private final BlockCopies copies;
  private final long[] claims; // [blocks]; the pass in which a block was claimed last
  private final long[] counted; // [blocks]; the count in which a block was counted last
  private long pass;
  private long count;

  /**
   * @param keepsIdle whether content outlives the requests that made it
   * @param copiesBlocks whether the model runner can copy a block
   */
  KvBlocks(
      ModelRunner.Geometry geometry,
      boolean keepsIdle,
      boolean copiesBlocks,
      CacheJournal journal) {
    this.pool = new BlockPool(geometry.blocks(), geometry.blockSize(), keepsIdle, journal);
    this.copiesBlocks = copiesBlocks;
    this.copies = new BlockCopies(geometry.maxSequences());
    this.claims = new long[geometry.blocks()];
    this.counted = new long[geometry.blocks()];
  }

  BlockPool pool() {
    return pool;
  }

  /** The copies that the step needs which was planned since {@link #beginPass}. */
  BlockCopies copies() {
    return copies;
  }

  /** What was planned before is done, or forgotten. */
  void beginPass() {
    pass++;
    copies.clear();
  }

  /**
   * Takes notice of a new request. Where blocks cannot be copied, a block that is not full cannot
   * be shared: each choice then computes the end of the prompt for itself. So does each choice that
   * has output already.
   */
  void add(Request request) {
    if (!copiesBlocks || request.task().isResumed()) {
      request.forked();
    }
  }

  /** Whether a request without blocks can get those it begins with, and {@code spare} stay. */
  boolean canStart(Request request, int spare) {
    Sequence leader = request.leader();
    int others = 0;
    if (request.isForked()) {
      int shared = request.promptLength() / pool.blockSize();
      for (int choice = leader.choice() + 1; choice < request.choices(); choice++) {
        Sequence s = request.sequence(choice);
        others += s.isEnded() ? 0 : pool.blocksFor(s.length()) - shared;
      }
    }
    return pool.canAllocate(leader.tokens(), leader.length(), leader.hashes(), spare + others);
  }

  /** Tokens of a request without blocks that it would find in the cache. */
  int cachedTokens(Request request) {
    Sequence leader = request.leader();
    return pool.cachedTokens(leader.tokens(), leader.length(), leader.hashes());
  }

  /** Blocks of a request's prompt that are in the cache, or being computed. */
  int foundBlocks(Request request) {
    Sequence first = request.sequence(0);
    return pool.foundBlocks(first.tokens(), request.promptLength(), first.hashes());
  }

  /** What {@link #pendingTokens} has counted is forgotten. */
  void beginCount() {
    count++;
  }

  /**
   * Tokens that are to be computed before the choices of a request can go on, without those that
   * decode, and without what was counted for another request since {@link #beginCount}.
   */
  int pendingTokens(Request request) {
    int tokens = 0;
    for (int choice = 0; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      tokens += s.isActive() && !s.isDecoding() ? pendingTokens(s) : 0;
    }
    return tokens;
  }

  private int pendingTokens(Sequence sequence) {
    BlockTable table = sequence.table;
    int blockSize = pool.blockSize();
    int computed = pool.computed(table, sequence.computed());
    int tokens = sequence.length() - computed;
    for (int i = computed / blockSize; i < table.entered(); i++) {
      int block = table.blocks()[i];
      if (pool.references(block) == 1) {
        break; // what follows is its own, too
      }
      if (counted[block] == count) {
        tokens -= (i + 1) * blockSize - Math.max(computed, i * blockSize);
      }
      counted[block] = count;
    }
    return tokens;
  }

  /** Gives a request the blocks it begins with. */
  void start(Request request) {
    for (int choice = 0; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      if (s.isActive()) {
        pool.allocate(s.table, s.tokens(), s.length(), s.hashes());
      }
    }
  }

  /**
   * How many of a sequence's next tokens to compute in this step. What others have computed in the
   * meantime is skipped.
   *
   * @param most at least 1
   * @return 0 if another sequence computes in this step what this one needs
   */
  int claimPrefill(Sequence sequence, int most) {
    BlockTable table = sequence.table;
    int computed = pool.computed(table, sequence.computed());
    sequence.skipTo(computed);
    int blockSize = pool.blockSize();
    int end = computed + Math.min(sequence.remaining(), most);
    for (int i = computed / blockSize; i < table.entered() && i * blockSize < end; i++) {
      int block = table.blocks()[i];
      if (claims[block] == pass) {
        end = Math.max(computed, i * blockSize);
      } else {
        claims[block] = pass;
      }
    }
    return end - computed;
  }

  /** Blocks that the decoding choices of a request need to take for their latest tokens. */
  int neededToDecode(Request request) {
    int needed = 0;
    for (int choice = 0; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      if (s.isActive() && s.isDecoding()) {
        needed += pool.blocksToAppend(s.table, s.computed(), s.length());
        needed -= savesCopy(request, s) ? 1 : 0;
      }
    }
    return needed;
  }

  /**
   * Whether a sequence will be the last of those that share the block it writes to, so that it can
   * keep it, since all others will have got copies.
   */
  private boolean savesCopy(Request request, Sequence last) {
    if (!pool.writesShared(last.table, last.computed())) {
      return false;
    }
    int index = last.computed() / pool.blockSize();
    int block = last.table.blocks()[index];
    int writers = 0;
    for (int choice = 0; choice <= last.choice(); choice++) {
      Sequence s = request.sequence(choice);
      boolean writes = s.isActive() && s.isDecoding() && index == s.computed() / pool.blockSize();
      writers += writes && index < s.table.size() && s.table.blocks()[index] == block ? 1 : 0;
    }
    return writers == pool.references(block);
  }

  /** Gives a decoding sequence a place for its latest token. */
  void growDecode(Sequence sequence) {
    pool.append(sequence.table, sequence.computed(), sequence.length(), copies);
  }

  /**
   * Gives a decoding sequence places for drafts behind its latest token; they take no block that
   * another sequence could be short of.
   *
   * @param spare blocks that stay available
   * @return how many of the drafts got a place
   */
  int growDrafts(Sequence sequence, int drafts, int spare) {
    int written = sequence.computed();
    int length = sequence.length();
    int fit = drafts;
    while (fit > 0 && !pool.canAppend(sequence.table, written, length + fit, spare)) {
      fit--;
    }
    pool.append(sequence.table, written, length + fit, copies);
    return fit;
  }

  /** Takes back the places of drafts that were not right. */
  void dropDrafts(Sequence sequence) {
    pool.truncate(sequence.table, sequence.length());
  }

  /** Rows of logits that follow when a sequence has computed {@code count} more tokens. */
  int rows(Sequence sequence, int count) {
    if (count < sequence.remaining()) {
      return 0;
    }
    Request request = sequence.request();
    return request.isForked() || request.beams().isPresent() ? 1 : request.live();
  }

  /** A step has computed the next tokens of a sequence. */
  void advance(Sequence sequence, int count, long nanos) {
    int from = sequence.computed();
    sequence.advance(count, nanos);
    pool.commitHashes(
        sequence.table, sequence.tokens(), sequence.hashes(), from, sequence.computed());
  }

  /** The prompt is computed: all choices share it from now on. */
  void fork(Request request) {
    Sequence leader = request.leader();
    for (int choice = leader.choice() + 1; choice < request.choices(); choice++) {
      Sequence s = request.sequence(choice);
      if (!s.isEnded()) {
        pool.fork(leader.table, s.table, leader.computed());
        s.skipTo(leader.computed());
      }
    }
    request.forked();
  }

  /** A choice gives up what it has and goes on as another one does, sharing its blocks. */
  void fork(Sequence from, Sequence to) {
    pool.free(to.table);
    to.become(from);
    pool.fork(from.table, to.table, from.computed());
  }

  /** One choice ends; if it computes the prompt for the others, the next one goes on with that. */
  void release(Sequence sequence) {
    Request request = sequence.request();
    if (!request.isForked() && request.live() > 0) {
      Sequence heir = request.leader();
      pool.fork(sequence.table, heir.table, sequence.table.size() * pool.blockSize());
      heir.skipTo(sequence.computed());
    }
    pool.free(sequence.table);
  }

  /** Takes all blocks of a request away. */
  void release(Request request) {
    for (int choice = request.choices() - 1; choice >= 0; choice--) {
      pool.free(request.sequence(choice).table);
    }
  }

  /** Audits the books against the tables of all requests that run. */
  void checkIntegrity(List<BlockTable> tables) {
    pool.checkIntegrity(tables);
  }
}
