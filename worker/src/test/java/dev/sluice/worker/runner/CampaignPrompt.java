package dev.sluice.worker.runner;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A random prompt with the output that is forced on it. Prompts come in families of four: the first
 * is the donor, the others begin like it for some whole blocks, so that their block tables can name
 * the donor's blocks.
 *
 * @param index in its list
 * @param tokens the prompt, then the output
 * @param promptLength how many of them are the prompt
 * @param donor index of the prompt that this one begins like; its own if it is a donor
 * @param sharedTokens how many tokens are the donor's; whole blocks
 * @param wanted ascending positions whose logits are compared: some of the prompt, its last, and
 *     all of the output
 */
@SuppressWarnings("ArrayRecordComponent") // never compared as records
record CampaignPrompt(
    int index, int[] tokens, int promptLength, int donor, int sharedTokens, int[] wanted) {
  private static final int FAMILY = 4;
  private static final int OUTPUT = 5;
  private static final int FEW = 3;
  private static final int VOCABULARY = 49_152;
  private static final int BLOCK = 16;

  /** One family in so many is longer than the largest chunk. */
  private static final int LONG_FAMILIES = 16;

  private static final int MOST_BLOCKS = 8; // shared

  /**
   * The same prompts whenever it is called; a shorter list is the beginning of a longer one.
   *
   * @param count a multiple of 4; or 1 for a prompt of three tokens with one of output: a prefill
   *     and a decode, which even the interpreter gets through
   */
  static List<CampaignPrompt> list(int count) {
    Random random = new Random(20260417);
    if (count == 1) {
      return List.of(of(0, random(FEW + 1, random), FEW, 0, 0, random));
    }
    List<CampaignPrompt> prompts = new ArrayList<>();
    while (prompts.size() < count) {
      boolean isLong = prompts.size() / FAMILY % LONG_FAMILIES == 1;
      addFamily(prompts, isLong ? random.nextInt(520, 560) : random.nextInt(18, 56), random);
    }
    return prompts;
  }

  private static void addFamily(List<CampaignPrompt> prompts, int length, Random random) {
    int donor = prompts.size();
    int[] first = random(length + OUTPUT, random);
    prompts.add(of(donor, first, length, donor, 0, random));
    for (int member = 1; member < FAMILY; member++) {
      int most = Math.min(length / BLOCK, MOST_BLOCKS);
      int shared = BLOCK * random.nextInt(1, most + 1);
      int own = random.nextInt(1, 24);
      int[] tokens = Arrays.copyOf(first, shared + own + OUTPUT);
      System.arraycopy(random(own + OUTPUT, random), 0, tokens, shared, own + OUTPUT);
      prompts.add(of(donor + member, tokens, shared + own, donor, shared, random));
    }
  }

  /** Number of its family. */
  int family() {
    return index / FAMILY;
  }

  private static CampaignPrompt of(
      int index, int[] tokens, int promptLength, int donor, int sharedTokens, Random random) {
    int[] inner = {random.nextInt(promptLength), random.nextInt(promptLength)};
    int[] wanted =
        IntStream.concat(Arrays.stream(inner), IntStream.range(promptLength - 1, tokens.length))
            .sorted()
            .distinct()
            .toArray();
    return new CampaignPrompt(index, tokens, promptLength, donor, sharedTokens, wanted);
  }

  private static int[] random(int count, Random random) {
    return random.ints(count, 0, VOCABULARY).toArray();
  }

  /** The index in {@link #wanted} of a position; below 0 if its logits are not wanted. */
  int row(int position) {
    return Arrays.binarySearch(wanted, position);
  }
}
