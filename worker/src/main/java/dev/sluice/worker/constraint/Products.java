package dev.sluice.worker.constraint;

import java.util.Optional;

/** Automata that run two others at once. */
final class Products {
  /**
   * @param second {@link Dfa#NONE} once the second automaton has given up
   */
  private record Pair(int first, int second) {}

  /**
   * @param text state of the text's automaton
   * @param character state inside a character
   * @param length characters that are complete
   */
  private record Measured(int text, int character, int length) {}

  private Products() {}

  /** Accepts what the first accepts and the second does not. */
  static Dfa difference(Dfa first, Dfa second, Budget budget) {
    return Explorer.explore(
        new Pair(Dfa.START, Dfa.START),
        new Explorer.Rule<Pair>() {
          @Override
          public Optional<Pair> next(Pair pair, int octet) {
            int a = first.next(pair.first, octet);
            int b = pair.second == Dfa.NONE ? Dfa.NONE : second.next(pair.second, octet);
            return a == Dfa.NONE ? Optional.empty() : Optional.of(new Pair(a, b));
          }

          @Override
          public boolean accepts(Pair pair) {
            return first.accepts(pair.first)
                && !(pair.second != Dfa.NONE && second.accepts(pair.second));
          }
        },
        Explorer.refine(first.classOf(), second.classOf()),
        budget);
  }

  /**
   * Accepts the texts of so many characters that an automaton accepts.
   *
   * @param character accepts one character; none is the beginning of another
   */
  static Dfa ofLength(Dfa text, Dfa character, int min, int max, Budget budget) {
    return Explorer.explore(
        new Measured(Dfa.START, Dfa.START, 0),
        new Explorer.Rule<Measured>() {
          @Override
          public Optional<Measured> next(Measured state, int octet) {
            int t = text.next(state.text, octet);
            int c = character.next(state.character, octet);
            if (t == Dfa.NONE || c == Dfa.NONE || state.length == max) {
              return Optional.empty();
            }
            if (!character.accepts(c)) {
              return Optional.of(new Measured(t, c, state.length));
            }
            // beyond the minimum, lengths count only if there is a maximum
            int more = max == Node.Loop.UNBOUNDED ? min : max;
            return Optional.of(new Measured(t, Dfa.START, Math.min(state.length + 1, more)));
          }

          @Override
          public boolean accepts(Measured state) {
            return text.accepts(state.text) && state.character == Dfa.START && state.length >= min;
          }
        },
        Explorer.refine(text.classOf(), character.classOf()),
        budget);
  }
}
