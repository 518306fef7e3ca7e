package dev.sluice.worker.constraint;

import dev.sluice.common.tokenizer.TokenBytes;
import dev.sluice.common.tokenizer.TokenizerBundle;
import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The byte strings of all tokens as a trie, so that a mask is found by one walk in which tokens
 * with the same beginning share it.
 *
 * <pre>
 *   tokens   ids in the order of their bytes
 *   nodes    in the order of their bytes, a node before all that begin with it:
 *     label  [nodes]      last byte
 *     depth  [nodes]      number of bytes before it
 *     end    [nodes]      first node that does not begin with this one
 *     below  [nodes]      groups of bytes that the nodes below it read
 *     first  [nodes + 1]  its tokens are first[node] to first[node + 1] - 1
 * </pre>
 *
 * Tokens of more than {@value #MAX_TOKEN_BYTES} bytes are left out: shorter ones spell the same.
 *
 * <p>Threading: immutable.
 */
public final class Vocabulary {
  static final int MAX_TOKEN_BYTES = 32;

  /** Ways that a walk may follow, for each node of the trie and in any case. */
  private static final int STEPS_PER_NODE = 8;

  private static final int MIN_STEPS = 1 << 16;

  private static final byte[] NONE = {};

  private final int size;
  private final boolean stripsFirstSpace;
  private final byte[][] bytes; // [size]
  private final int[] tokens;
  private final byte[] label;
  private final byte[] depth;
  private final int[] end;
  private final long[] below;
  private final int[] first;

  private Vocabulary(TokenBytes source) {
    this.size = source.size();
    this.stripsFirstSpace = source.stripsFirstSpace();
    this.bytes = new byte[size][];
    Arrays.setAll(bytes, source::of);
    Integer[] sorted = new Integer[size];
    Arrays.setAll(sorted, id -> id);
    Arrays.sort(sorted, (a, b) -> Arrays.compareUnsigned(bytes[a], bytes[b]));
    int used = 0;
    int most = 0;
    for (int id : sorted) {
      if (bytes[id].length > 0 && bytes[id].length <= MAX_TOKEN_BYTES) {
        sorted[used++] = id;
        most += bytes[id].length;
      }
    }
    this.tokens = new int[used];
    byte[] labels = new byte[most];
    byte[] depths = new byte[most];
    int[] ends = new int[most];
    int[] firsts = new int[most + 1];
    int[] path = new int[MAX_TOKEN_BYTES]; // nodes of the token before
    byte[] before = {};
    int nodes = 0;
    for (int i = 0; i < used; i++) {
      tokens[i] = sorted[i];
      byte[] token = bytes[tokens[i]];
      int shared = Arrays.mismatch(before, token);
      for (int d = shared < 0 ? token.length : shared; d < before.length; d++) {
        ends[path[d]] = nodes;
      }
      for (int d = shared < 0 ? token.length : shared; d < token.length; d++) {
        labels[nodes] = token[d];
        depths[nodes] = (byte) d;
        firsts[nodes] = i;
        path[d] = nodes++;
      }
      before = token;
    }
    for (int d = 0; d < before.length; d++) {
      ends[path[d]] = nodes;
    }
    this.label = Arrays.copyOf(labels, nodes);
    this.depth = Arrays.copyOf(depths, nodes);
    this.end = Arrays.copyOf(ends, nodes);
    this.below = below(label, end);
    this.first = Arrays.copyOf(firsts, nodes + 1);
    first[nodes] = used;
  }

  /**
   * Reads a tokenizer's vocabulary.
   *
   * @throws dev.sluice.common.tokenizer.TokenizerException if the tokens' bytes cannot be known
   */
  public static Vocabulary read(TokenizerBundle bundle) {
    return new Vocabulary(TokenBytes.read(bundle));
  }

  private static long[] below(byte[] label, int[] end) {
    long[] below = new long[label.length];
    for (int node = label.length - 1; node >= 0; node--) {
      for (int child = node + 1; child < end[node]; child = end[child]) {
        below[node] |= below[child] | 1L << ByteGroups.of(label[child]);
      }
    }
    return below;
  }

  /** Number of tokens; ids are below it. */
  int size() {
    return size;
  }

  /** Words of a mask. */
  int words() {
    return Math.ceilDiv(size, Long.SIZE);
  }

  boolean stripsFirstSpace() {
    return stripsFirstSpace;
  }

  /** The bytes that a token adds, not to be changed; none if it is no text or unknown. */
  byte[] bytes(int token) {
    return token >= 0 && token < size ? bytes[token] : NONE;
  }

  /**
   * The tokens that may come next. All of them, unless the state and its successors follow very
   * many ways at once: then as many as can be found by a bounded number of steps, among them all of
   * a single byte, so that the output can always go on.
   *
   * @param visit is told the state after each such token, but for counts that make no difference
   */
  long[] allowed(Automaton automaton, State start, @Nullable Consumer<State> visit) {
    long[] mask = new long[words()];
    MaskWalk walk = new MaskWalk(automaton, start);
    int[] path = new int[MAX_TOKEN_BYTES + 1]; // [bytes read]; states
    path[0] = MaskWalk.START;
    long steps = (long) STEPS_PER_NODE * label.length + MIN_STEPS;
    int node = 0;
    while (node < label.length && steps > 0) {
      int bytesRead = depth[node];
      int before = path[bytesRead];
      int after = walk.next(before, label[node]);
      int past = end[node];
      if (after == MaskWalk.DEAD) {
        steps--;
        node = past;
        continue;
      }
      steps -= walk.weight(after);
      int next = node + 1;
      if (after == before && next < past && (below[node] & ~walk.loops(after)) == 0) {
        next = past; // whatever comes, the state stays
      }
      if (first[node] < first[next]) {
        set(mask, first[node], first[next]);
        if (visit != null) {
          visit.accept(walk.state(after));
        }
      }
      path[bytesRead + 1] = after;
      node = next;
    }
    while (node < label.length) { // too many steps: the rest of the single bytes
      if (depth[node] == 0 && walk.next(MaskWalk.START, label[node]) != MaskWalk.DEAD) {
        set(mask, first[node], first[node + 1]);
      }
      node = depth[node] == 0 ? end[node] : node + 1;
    }
    return mask;
  }

  private void set(long[] mask, int from, int to) {
    for (int i = from; i < to; i++) {
      mask[tokens[i] >>> 6] |= 1L << tokens[i];
    }
  }

  /** Bytes that it holds, about. */
  long bytes() {
    return 18L * label.length + 4L * tokens.length + 40L * size;
  }
}
