package dev.sluice.common.template;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoField;
import java.time.temporal.IsoFields;
import java.util.Locale;

/** Python's {@code datetime.strftime}, with English names; the time has no zone. */
final class TimeFormat {
  private TimeFormat() {}

  static String format(String format, ZonedDateTime time) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 == format.length()) {
        text.append(c);
        continue;
      }
      char directive = format.charAt(++i);
      boolean unpadded = directive == '-' && i + 1 < format.length();
      if (unpadded) {
        directive = format.charAt(++i);
      }
      String field = field(directive, time);
      text.append(unpadded ? PythonText.stripStart(field, digit -> digit == '0') : field);
      if (unpadded && !field.isEmpty() && field.chars().allMatch(digit -> digit == '0')) {
        text.append('0');
      }
    }
    return text.toString();
  }

  private static String field(char directive, ZonedDateTime time) {
    return switch (directive) {
      case 'Y' -> pattern("uuuu", time);
      case 'C' -> "%02d".formatted(time.getYear() / 100);
      case 'y' -> pattern("uu", time);
      case 'm' -> pattern("MM", time);
      case 'd' -> pattern("dd", time);
      case 'e' -> "%2d".formatted(time.getDayOfMonth());
      case 'B' -> pattern("MMMM", time);
      case 'b', 'h' -> pattern("MMM", time);
      case 'A' -> pattern("EEEE", time);
      case 'a' -> pattern("EEE", time);
      case 'j' -> pattern("DDD", time);
      case 'H' -> pattern("HH", time);
      case 'I' -> pattern("hh", time);
      case 'k' -> "%2d".formatted(time.getHour());
      case 'l' -> "%2d".formatted(time.get(ChronoField.CLOCK_HOUR_OF_AMPM));
      case 'M' -> pattern("mm", time);
      case 'S' -> pattern("ss", time);
      case 'f' -> pattern("SSSSSS", time);
      case 'p' -> pattern("a", time);
      case 's' -> Long.toString(time.toEpochSecond());
      case 'u' -> Integer.toString(time.getDayOfWeek().getValue());
      case 'w' -> Integer.toString(time.getDayOfWeek().getValue() % 7);
      case 'G' -> Integer.toString(time.get(IsoFields.WEEK_BASED_YEAR));
      case 'V' -> "%02d".formatted(time.get(IsoFields.WEEK_OF_WEEK_BASED_YEAR));
      case 'U' -> week(time, time.getDayOfWeek().getValue() % 7);
      case 'W' -> week(time, time.getDayOfWeek().getValue() - 1);
      case 'D', 'x' -> pattern("MM/dd/uu", time);
      case 'F' -> pattern("uuuu-MM-dd", time);
      case 'T', 'X' -> pattern("HH:mm:ss", time);
      case 'R' -> pattern("HH:mm", time);
      case 'r' -> pattern("hh:mm:ss a", time);
      case 'c' ->
          pattern("EEE MMM ", time)
              + "%2d".formatted(time.getDayOfMonth())
              + pattern(" HH:mm:ss uuuu", time);
      case 'Z', 'z' -> "";
      case 'n' -> "\n";
      case 't' -> "\t";
      case '%' -> "%";
      default -> "%" + directive;
    };
  }

  private static String pattern(String pattern, ZonedDateTime time) {
    return DateTimeFormatter.ofPattern(pattern, Locale.US).format(time);
  }

  /** Week of the year, from the first day of the week on which {@code weekday} counts from 0. */
  private static String week(ZonedDateTime time, int weekday) {
    return "%02d".formatted((time.getDayOfYear() + 6 - weekday) / 7);
  }
}
