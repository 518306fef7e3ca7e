package dev.sluice.worker.constraint;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Optional;

/**
 * The automaton of JSON numbers between bounds.
 *
 * <p>A number is compared with a bound digit by digit; how many digits come before the point, which
 * decides first, is known at the point only.
 */
final class Numbers {
  private static final String OCTETS = "-0123456789.eE+";

  /** Digits before the point if no bound says more: what a double holds exactly. */
  private static final int WHOLE_DIGITS = 15;

  /** Digits behind the point if nothing says more or less. */
  private static final int FRACTION_DIGITS = 10;

  /** Digits of a bound. */
  private static final int MAX_BOUND_DIGITS = 40;

  private static final int MAX_DIVISOR = 1000;

  /** One side of what numbers are compared with. */
  record Bound(BigDecimal value, boolean exclusive) {}

  /**
   * What numbers are wanted.
   *
   * @param wholeOnly integers, without a point
   * @param low smallest, if there is one
   * @param high largest, if there is one
   * @param divisor what they are multiples of, if anything
   */
  record Range(
      boolean wholeOnly, Optional<Bound> low, Optional<Bound> high, Optional<BigDecimal> divisor) {}

  /** Where in a number one is. */
  private enum Place {
    START,
    MINUS,
    ZERO,
    WHOLE,
    POINT,
    FRACTION,
    E,
    E_SIGN,
    E_DIGITS
  }

  /**
   * @param digits read in this part of the number
   * @param least how what was read compares with the smallest magnitude
   * @param most how it compares with the largest
   * @param zero whether all digits were 0
   * @param rest of the division by the divisor
   */
  private record State(
      Place place, boolean negative, int digits, int least, int most, boolean zero, int rest) {}

  private final boolean wholeOnly;
  private final boolean exponents;
  private final int wholeDigits;
  private final int fractionDigits;
  private final int divisor;
  private final boolean[] possible = new boolean[2]; // not negative, negative
  private final Magnitudes[] magnitudes = new Magnitudes[2];

  /** Bounds of the absolute value of numbers of one sign. */
  private record Magnitudes(Decimal least, boolean above, Optional<Decimal> most, boolean below) {}

  private Numbers(Range range) {
    range.low().ifPresent(bound -> check(bound.value()));
    range.high().ifPresent(bound -> check(bound.value()));
    int scale =
        Math.max(
            range.low().map(Numbers::scale).orElse(0), range.high().map(Numbers::scale).orElse(0));
    int digits =
        Math.max(
            range.low().map(Numbers::digits).orElse(0),
            range.high().map(Numbers::digits).orElse(0));
    boolean tenth = range.divisor().map(Numbers::isTenth).orElse(false);
    boolean whole = range.wholeOnly() || (range.divisor().isPresent() && !tenth);
    this.divisor = whole && !tenth ? range.divisor().map(Numbers::divisor).orElse(1) : 1;
    this.fractionDigits =
        tenth
            ? range.divisor().orElseThrow().stripTrailingZeros().scale()
            : Math.max(FRACTION_DIGITS, scale + 1);
    this.wholeOnly = whole || fractionDigits == 0;
    this.exponents =
        !wholeOnly && range.low().isEmpty() && range.high().isEmpty() && range.divisor().isEmpty();
    this.wholeDigits = Math.max(WHOLE_DIGITS, digits);
    setMagnitudes(range);
  }

  /**
   * @throws ConstraintException if there is no such number, or the bounds cannot be handled
   */
  static Dfa automaton(Range range, Budget budget) {
    Numbers numbers = new Numbers(range);
    return Explorer.explore(
        new State(Place.START, false, 0, 0, 0, true, 0),
        new Explorer.Rule<State>() {
          @Override
          public Optional<State> next(State state, int octet) {
            return numbers.next(state, octet);
          }

          @Override
          public boolean accepts(State state) {
            return numbers.accepts(state);
          }
        },
        Explorer.classesOf(OCTETS),
        budget);
  }

  private static void check(BigDecimal bound) {
    BigDecimal plain = bound.stripTrailingZeros();
    if (plain.precision() > MAX_BOUND_DIGITS || Math.abs((long) plain.scale()) > MAX_BOUND_DIGITS) {
      throw new ConstraintException(
          "a bound of more than " + MAX_BOUND_DIGITS + " digits (expected: at most so many)");
    }
  }

  private static int scale(Bound bound) {
    return Math.max(0, bound.value().stripTrailingZeros().scale());
  }

  private static int digits(Bound bound) {
    BigDecimal plain = bound.value().stripTrailingZeros();
    return plain.precision() - plain.scale() + 1;
  }

  /** Whether it is 1, 0.1, 0.01, … */
  private static boolean isTenth(BigDecimal divisor) {
    BigDecimal plain = divisor.stripTrailingZeros();
    return plain.unscaledValue().equals(BigInteger.ONE)
        && plain.scale() >= 0
        && plain.scale() <= FRACTION_DIGITS;
  }

  private static int divisor(BigDecimal divisor) {
    if (divisor.signum() <= 0
        || divisor.stripTrailingZeros().scale() > 0
        || divisor.compareTo(BigDecimal.valueOf(MAX_DIVISOR)) > 0) {
      throw new ConstraintException(
          "multipleOf: "
              + (divisor.precision() > MAX_BOUND_DIGITS ? "a number of many digits" : divisor)
              + " (expected: an integer from 1 to "
              + MAX_DIVISOR
              + ", or 0.1, 0.01 and so on)");
    }
    return divisor.intValueExact();
  }

  private void setMagnitudes(Range range) {
    Optional<Bound> low = range.low();
    Optional<Bound> high = range.high();
    possible[0] = high.isEmpty() || high.get().value().signum() >= 0;
    boolean lowCounts = low.isPresent() && low.get().value().signum() >= 0;
    magnitudes[0] =
        new Magnitudes(
            lowCounts ? Decimal.of(low.get().value()) : new Decimal("0", ""),
            lowCounts && low.get().exclusive(),
            possible[0] ? high.map(bound -> Decimal.of(bound.value())) : Optional.empty(),
            high.isPresent() && high.get().exclusive());
    possible[1] = low.isEmpty() || low.get().value().signum() < 0;
    boolean highCounts = high.isPresent() && high.get().value().signum() < 0;
    magnitudes[1] =
        new Magnitudes(
            highCounts ? Decimal.of(high.get().value().negate()) : new Decimal("0", ""),
            !highCounts || high.get().exclusive(),
            possible[1] ? low.map(bound -> Decimal.of(bound.value().negate())) : Optional.empty(),
            low.isPresent() && low.get().exclusive());
  }

  private Magnitudes magnitudes(State state) {
    return magnitudes[state.negative ? 1 : 0];
  }

  private Optional<State> next(State s, int octet) {
    boolean isDigit = octet >= '0' && octet <= '9';
    return switch (s.place) {
      case START -> {
        if (octet == '-') {
          yield possible[1]
              ? Optional.of(new State(Place.MINUS, true, 0, 0, 0, true, 0))
              : Optional.empty();
        }
        yield possible[0] && isDigit ? Optional.of(whole(s, octet - '0')) : Optional.empty();
      }
      case MINUS -> isDigit ? Optional.of(whole(s, octet - '0')) : Optional.empty();
      case WHOLE ->
          isDigit && s.digits < wholeDigits ? Optional.of(whole(s, octet - '0')) : point(s, octet);
      case ZERO -> point(s, octet);
      case POINT, FRACTION -> {
        if (isDigit && s.digits < fractionDigits) {
          yield Optional.of(fraction(s, octet - '0'));
        }
        yield s.place == Place.FRACTION ? exponent(octet) : Optional.empty();
      }
      case E -> {
        if (octet == '+' || octet == '-') {
          yield Optional.of(afterE(Place.E_SIGN, 0));
        }
        yield isDigit ? Optional.of(afterE(Place.E_DIGITS, 1)) : Optional.empty();
      }
      case E_SIGN -> isDigit ? Optional.of(afterE(Place.E_DIGITS, 1)) : Optional.empty();
      case E_DIGITS ->
          isDigit && s.digits < 2 ? Optional.of(afterE(Place.E_DIGITS, 2)) : Optional.empty();
    };
  }

  private State whole(State s, int digit) {
    Magnitudes m = magnitudes(s);
    return new State(
        s.digits == 0 && digit == 0 ? Place.ZERO : Place.WHOLE,
        s.negative,
        s.digits + 1,
        s.least == 0 ? m.least.compareWhole(s.digits, digit) : s.least,
        s.most == 0 && m.most.isPresent() ? m.most.get().compareWhole(s.digits, digit) : s.most,
        s.zero && digit == 0,
        (10 * s.rest + digit) % divisor);
  }

  private Optional<State> point(State s, int octet) {
    if (octet != '.' || wholeOnly) {
      return wholeOnly ? Optional.empty() : exponent(octet);
    }
    Magnitudes m = magnitudes(s);
    return Optional.of(
        new State(
            Place.POINT,
            s.negative,
            0,
            m.least.compareAtPoint(s.digits, s.least),
            m.most.isPresent() ? m.most.get().compareAtPoint(s.digits, s.most) : 0,
            s.zero,
            0));
  }

  private State fraction(State s, int digit) {
    Magnitudes m = magnitudes(s);
    return new State(
        Place.FRACTION,
        s.negative,
        s.digits + 1,
        s.least == 0 ? m.least.compareFraction(s.digits, digit) : s.least,
        s.most == 0 && m.most.isPresent() ? m.most.get().compareFraction(s.digits, digit) : s.most,
        s.zero && digit == 0,
        0);
  }

  private Optional<State> exponent(int octet) {
    return exponents && (octet == 'e' || octet == 'E')
        ? Optional.of(afterE(Place.E, 0))
        : Optional.empty();
  }

  private static State afterE(Place place, int digits) {
    return new State(place, false, digits, 0, 0, true, 0);
  }

  private boolean accepts(State s) {
    return switch (s.place) {
      case START, MINUS, POINT, E, E_SIGN -> false;
      case E_DIGITS -> true;
      case ZERO, WHOLE -> {
        Magnitudes m = magnitudes(s);
        yield inBounds(
            s,
            m.least.compareAtEnd(0, m.least.compareAtPoint(s.digits, s.least)),
            m.most.map(most -> most.compareAtEnd(0, most.compareAtPoint(s.digits, s.most))));
      }
      case FRACTION -> {
        Magnitudes m = magnitudes(s);
        yield inBounds(
            s,
            m.least.compareAtEnd(s.digits, s.least),
            m.most.map(most -> most.compareAtEnd(s.digits, s.most)));
      }
    };
  }

  private boolean inBounds(State s, int least, Optional<Integer> most) {
    Magnitudes m = magnitudes(s);
    return (m.above ? least > 0 : least >= 0)
        && most.map(c -> m.below ? c < 0 : c <= 0).orElse(true)
        && !(s.negative && s.zero)
        && s.rest == 0;
  }
}
