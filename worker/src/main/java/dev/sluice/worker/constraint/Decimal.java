package dev.sluice.worker.constraint;

import java.math.BigDecimal;

/**
 * Digits of a number that is not negative, to compare another number with it that is read digit by
 * digit.
 *
 * @param whole digits before the point, without leading zeros but for a single 0
 * @param fraction digits behind the point, without trailing zeros
 */
record Decimal(String whole, String fraction) {
  static Decimal of(BigDecimal value) {
    String text = value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
    int point = text.indexOf('.');
    return point < 0
        ? new Decimal(text, "")
        : new Decimal(text.substring(0, point), text.substring(point + 1));
  }

  /** How its first digits compare with others that were equal before this one. */
  int compareWhole(int place, int digit) {
    return place < whole.length() ? Integer.signum(digit - (whole.charAt(place) - '0')) : 0;
  }

  /** The same behind the point. */
  int compareFraction(int place, int digit) {
    int own = place < fraction.length() ? fraction.charAt(place) - '0' : 0;
    return Integer.signum(digit - own);
  }

  /**
   * How a number compares with this one at its point.
   *
   * @param digits number of its digits before the point
   * @param compared how they compare with as many of this one
   */
  int compareAtPoint(int digits, int compared) {
    return digits == whole.length() ? compared : Integer.signum(digits - whole.length());
  }

  /**
   * How a number compares with this one at its end.
   *
   * @param places number of its digits behind the point
   * @param compared how it compares up to there
   */
  int compareAtEnd(int places, int compared) {
    return compared == 0 && places < fraction.length() ? -1 : compared;
  }
}
