package dev.sluice.worker.runner;

import java.util.Optional;

/**
 * What a worker may use, and what it does with it.
 *
 * @param memory for all of the worker, if it was said
 * @param kvMemory for the KV cache alone, if it was said
 * @param limit of the process
 */
public record MemoryBudget(Optional<Long> memory, Optional<Long> kvMemory, MemoryLimit limit) {
  /**
   * Adds a KV cache to what a model needs: as large as was said, or else what is left of the
   * memory, but no more than all requests could ever use.
   *
   * @param needs without blocks
   * @param context most tokens of a request
   * @param maxSequences requests at once
   * @throws MemoryException if there is no room for one request of the context, or for what was
   *     said
   */
  public MemoryPlan plan(MemoryPlan needs, int context, int maxSequences) {
    if (kvMemory.isPresent()) {
      MemoryPlan plan = needs.withKvBytes(kvMemory.get());
      if (plan.blocks() < 1) {
        throw new MemoryException(
            "kv-cache.memory: %s (expected: at least a block of %d tokens, %s)"
                .formatted(
                    MemoryPlan.size(kvMemory.get()),
                    needs.blockSize(),
                    MemoryPlan.size(needs.blockBytes())));
      }
      if (memory.isPresent() && plan.totalBytes() > memory.get()) {
        throw tooSmall(plan.totalBytes(), plan, "the KV cache of kv-cache.memory", needs, context);
      }
      return plan;
    }
    MemoryPlan plan = needs.withTotalBytes(bytes());
    MemoryPlan one = needs.withKvBytes(needs.totalBytesFor(context) - needs.totalBytes());
    if (plan.blocks() < one.blocks()) {
      String what = "the KV cache of one request of " + context + " tokens";
      throw tooSmall(one.totalBytes(), one, what, needs, context);
    }
    long useful = one.kvBytes() * maxSequences;
    return plan.kvBytes() > useful ? needs.withKvBytes(useful) : plan;
  }

  private long bytes() {
    return memory.orElseGet(() -> limit.budget(1));
  }

  private MemoryException tooSmall(
      long expected, MemoryPlan plan, String cache, MemoryPlan needs, int context) {
    StringBuilder message = new StringBuilder();
    message.append("memory: ").append(MemoryPlan.size(bytes()));
    if (memory.isEmpty()) {
      message.append(
          switch (limit.source()) {
            case CGROUP -> ", nine tenths of the control group's limit";
            case MACHINE -> ", half of this machine's";
          });
    }
    message.append(" (expected: at least ").append(MemoryPlan.size(expected)).append(": weights ");
    message.append(MemoryPlan.size(plan.weightBytes())).append(", working memory ");
    message.append(MemoryPlan.size(plan.workingBytes())).append(", ").append(cache).append(' ');
    message.append(MemoryPlan.size(plan.kvBytes())).append("). Give it more --memory");
    long room = needs.withTotalBytes(bytes()).blocks() * (long) needs.blockSize();
    if (room > 0 && room < context) {
      message.append(", or a --model.context-length of at most ").append(room);
    }
    message.append(", or hold the weights in fewer bits with --quantization");
    return new MemoryException(message.toString());
  }
}
