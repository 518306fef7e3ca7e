package dev.sluice.worker.runner;

import dev.sluice.worker.engine.ModelRunner;
import dev.sluice.worker.engine.StepBatch;
import dev.sluice.worker.runner.CampaignVariant.Mode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

/**
 * Computes the logits of all prompts in one way. As in the engine, sequences come and go while
 * others run, those that prefill share a step with those that decode, and blocks lie anywhere and
 * hold what others left in them.
 */
final class CampaignRun {
  private final ModelRunner runner;
  private final CampaignVariant variant;
  private final List<CampaignPrompt> prompts;
  private final CampaignRows rows;
  private final StepBatch batch;
  private final float[] logits;
  private final Random random = new Random(42);
  private final List<Integer> freeBlocks = new ArrayList<>();
  private final int[] owners; // [blocks]; sequences whose table names the block
  private final Map<Integer, Live> sequences = new HashMap<>(); // by index of the prompt
  private final List<Live> waiting = new ArrayList<>();
  private final List<Live> running = new ArrayList<>();
  private long tokens;

  /** A prompt on its way. */
  private static final class Live {
    private final CampaignPrompt prompt;
    private int[] blocks = {};
    private int length; // prompt and output so far
    private int computed;
    private int preemptAt; // tokens computed
    private int borrowers; // sequences yet to come that name its blocks

    Live(CampaignPrompt prompt) {
      this.prompt = prompt;
      this.length = prompt.promptLength();
    }

    boolean isComplete() {
      return computed == prompt.tokens().length;
    }
  }

  CampaignRun(
      ModelRunner runner,
      List<CampaignPrompt> prompts,
      CampaignVariant variant,
      CampaignRows rows) {
    this.runner = runner;
    this.variant = variant;
    this.prompts = prompts;
    this.rows = rows;
    this.batch = new StepBatch(runner.geometry());
    this.logits = new float[runner.geometry().vocabularySize()];
    this.owners = new int[runner.geometry().blocks()];
    for (int block = 0; block < owners.length; block++) {
      freeBlocks.add(block);
    }
    Collections.shuffle(freeBlocks, random);
  }

  /** Computes everything; returns the number of tokens that went through the model. */
  long run() {
    for (CampaignPrompt prompt : prompts) {
      Live live = new Live(prompt);
      live.preemptAt =
          variant.mode() == Mode.PREEMPTED
              ? random.nextInt(1, prompt.tokens().length)
              : Integer.MAX_VALUE;
      sequences.put(prompt.index(), live);
      waiting.add(live);
      if (isBorrower(live)) { // its donor comes before it
        donor(live).borrowers++;
      }
    }
    while (!waiting.isEmpty() || !running.isEmpty()) {
      admit();
      if (running.isEmpty()) {
        throw new IllegalStateException(freeBlocks.size() + " free blocks are too few");
      }
      step();
    }
    return tokens;
  }

  private boolean isBorrower(Live live) {
    return variant.mode() == Mode.SHARED
        && live.prompt.donor() != live.prompt.index()
        && sequences.containsKey(live.prompt.donor());
  }

  private Live donor(Live live) {
    return Objects.requireNonNull(sequences.get(live.prompt.donor()));
  }

  private void admit() {
    for (int i = 0; i < waiting.size() && running.size() < variant.batch(); ) {
      Live live = waiting.get(i);
      int needed = runner.geometry().blocksFor(live.prompt.tokens().length);
      boolean ready = !isBorrower(live) || donor(live).computed >= live.prompt.sharedTokens();
      if (ready && freeBlocks.size() >= needed) {
        waiting.remove(i);
        allocate(live, needed);
        running.add(random.nextInt(running.size() + 1), live);
      } else {
        i++;
      }
    }
  }

  private void allocate(Live live, int needed) {
    live.blocks = new int[needed];
    int shared = 0;
    if (isBorrower(live)) {
      Live donor = donor(live);
      shared = live.prompt.sharedTokens() / runner.geometry().blockSize();
      System.arraycopy(donor.blocks, 0, live.blocks, 0, shared);
      live.computed = live.prompt.sharedTokens();
    }
    for (int i = shared; i < needed; i++) {
      live.blocks[i] = freeBlocks.removeLast();
    }
    for (int block : live.blocks) {
      owners[block]++;
    }
    if (isBorrower(live)) {
      releaseDonor(donor(live));
    }
  }

  /** A donor keeps its blocks until all who name them are there. */
  private void releaseDonor(Live donor) {
    donor.borrowers--;
    if (donor.borrowers == 0 && donor.isComplete()) {
      free(donor);
    }
  }

  private void free(Live live) {
    for (int block : live.blocks) {
      if (--owners[block] == 0) {
        freeBlocks.add(random.nextInt(freeBlocks.size() + 1), block);
      }
    }
    live.blocks = new int[0];
  }

  private void step() {
    ModelRunner.Geometry geometry = runner.geometry();
    int[] counts = new int[running.size()];
    int budget = geometry.maxBatchedTokens();
    int width = 1;
    for (int i = 0; i < counts.length; i++) {
      Live live = running.get(i);
      counts[i] = Math.min(Math.min(variant.chunk(), live.length - live.computed), budget);
      budget -= counts[i];
      width = Math.max(width, geometry.blocksFor(live.computed + counts[i]));
    }
    batch.begin(width);
    for (int i = 0; i < counts.length; i++) {
      if (counts[i] > 0) {
        add(running.get(i), counts[i]);
      }
    }
    runner.execute(batch);
    tokens += batch.tokens();
    int row = 0;
    for (int i = 0; i < counts.length; i++) {
      row = read(running.get(i), counts[i], row);
    }
    for (Live live : List.copyOf(running)) {
      advance(live);
    }
  }

  private void add(Live live, int count) {
    int end = live.computed + count;
    batch.addSequence(live.computed, live.blocks, runner.geometry().blocksFor(end));
    for (int position = live.computed; position < end; position++) {
      batch.addToken(live.prompt.tokens()[position]);
      if (live.prompt.row(position) >= 0) {
        batch.addLogits();
      }
    }
  }

  /** Takes a sequence's rows; returns the index of the next row. */
  private int read(Live live, int count, int firstRow) {
    int row = firstRow;
    for (int i = 0; i < count; i++) {
      int wanted = live.prompt.row(live.computed++);
      if (wanted >= 0) {
        runner.readLogits(row++, logits);
        rows.put(live.prompt.index(), wanted, CampaignRows.hash(logits));
      }
    }
    return row;
  }

  private void advance(Live live) {
    if (live.computed >= live.preemptAt) {
      live.preemptAt = Integer.MAX_VALUE;
      live.computed = 0;
      free(live);
      running.remove(live);
      waiting.addFirst(live);
    } else if (live.isComplete()) {
      running.remove(live);
      if (live.borrowers == 0) {
        free(live);
      }
    } else if (live.computed == live.length) {
      live.length++; // the next token of the output
    }
  }
}
