package dev.sluice.common.template;

/**
 * A string builder that charges what is appended.
 *
 * <p>Threading: belongs to one rendering.
 */
final class TextBuilder {
  private final StringBuilder text = new StringBuilder();
  private final Budget budget;

  TextBuilder(Budget budget) {
    this.budget = budget;
  }

  TextBuilder append(String part) {
    grow(part.length());
    text.append(part);
    return this;
  }

  TextBuilder append(char c) {
    grow(1);
    text.append(c);
    return this;
  }

  TextBuilder appendCodePoint(int c) {
    grow(2);
    text.appendCodePoint(c);
    return this;
  }

  TextBuilder repeat(String part, long times) {
    if (times > 0) {
      grow(Math.multiplyFull(part.length(), (int) Math.min(times, Budget.MAX_SIZE + 1)));
      text.repeat(part, (int) times);
    }
    return this;
  }

  private void grow(long size) {
    if (text.length() + size > Budget.MAX_SIZE) {
      budget.charge(text.length() + size);
    }
    budget.charge(size);
  }

  @Override
  public String toString() {
    return text.toString();
  }
}
