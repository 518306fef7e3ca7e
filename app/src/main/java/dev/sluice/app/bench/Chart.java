package dev.sluice.app.bench;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.function.DoubleFunction;

/**
 * A chart within a picture: its name, a line that says the most of it, a grid, and a curve.
 *
 * <pre>
 *   name          figures
 *   100 % ┬───────────────
 *         │        ╭──────
 *     0 % ┴───────────────
 *          1 ms      10 ms
 * </pre>
 *
 * <p>Threading: one thread.
 */
final class Chart {
  private static final double LEFT = 56;
  private static final double RIGHT = 16;
  private static final double TOP = 34;
  private static final double BOTTOM = 28;
  private static final double GAP = 8; // between the grid and its numbers

  private final Svg svg;
  private final double x;
  private final double y;
  private final double width;
  private final double height;

  /** Takes this part of the picture, in pixels. */
  Chart(Svg svg, double x, double y, double width, double height) {
    this.svg = svg;
    this.x = x;
    this.y = y;
    this.width = width;
    this.height = height;
  }

  double left() {
    return x + LEFT;
  }

  double right() {
    return x + width - RIGHT;
  }

  double top() {
    return y + TOP;
  }

  double bottom() {
    return y + height - BOTTOM;
  }

  void head(String name, String figures) {
    svg.text("name", left(), y + 16, "start", name);
    svg.text("figures", right(), y + 16, "end", figures);
  }

  void grid(Scale across, DoubleFunction<String> below, Scale up, DoubleFunction<String> beside) {
    for (double tick : up.ticks()) {
      svg.line("grid", left(), up.at(tick), right(), up.at(tick));
      svg.text("tick", left() - GAP, up.at(tick) + 4, "end", beside.apply(tick));
    }
    for (double tick : across.ticks()) {
      svg.line("grid", across.at(tick), bottom(), across.at(tick), bottom() + 4);
      svg.text("tick", across.at(tick), bottom() + 18, "middle", below.apply(tick));
    }
  }

  /** Which part of the values is how large: a curve through their percentiles, some as points. */
  void shares(String name, Distribution millis, double... percents) {
    if (millis.isEmpty() || millis.percentile(100) <= 0) {
      head(name, "none");
      return;
    }
    double least = Math.max(millis.percentile(0), millis.percentile(100) / 1e6);
    Scale across = Scale.logarithmic(least, millis.percentile(100), left(), right());
    Scale up = new Scale(0, 100, false, bottom(), top());
    grid(across, Chart::time, up, percent -> number(percent) + " %");
    StringBuilder curve = new StringBuilder("M");
    for (int half = 0; half <= 200; half++) {
      curve.append(half == 0 ? "" : "L");
      curve.append(Svg.point(across.at(millis.percentile(half / 2.0)), up.at(half / 2.0)));
    }
    svg.path("line", curve.toString());
    StringBuilder figures = new StringBuilder();
    for (double percent : percents) {
      double value = millis.percentile(percent);
      svg.circle("point", across.at(value), up.at(percent), 5);
      figures.append(figures.isEmpty() ? "" : " · ");
      figures.append('p').append(number(percent)).append(' ').append(time(value));
    }
    head(name, figures.toString());
  }

  /**
   * Values one after the other, each for the same time.
   *
   * @param seconds of all of them
   */
  void overTime(String name, String figures, double[] values, double seconds) {
    head(name, figures);
    double most = 0;
    for (double value : values) {
      most = Math.max(most, value);
    }
    Scale across = new Scale(0, seconds, false, left(), right());
    Scale up = Scale.linear(Math.max(most, 1), bottom(), top());
    grid(across, second -> number(second) + " s", up, Chart::number);
    StringBuilder curve = new StringBuilder();
    for (int i = 0; i < values.length; i++) {
      double from = across.at(seconds * i / values.length);
      double to = across.at(seconds * (i + 1) / values.length);
      curve.append(i == 0 ? "M" : "L").append(Svg.point(from, up.at(values[i])));
      curve.append('L').append(Svg.point(to, up.at(values[i])));
    }
    if (!curve.isEmpty()) {
      String floor = "L" + Svg.point(right(), bottom()) + "L" + Svg.point(left(), bottom()) + "Z";
      svg.path("area", curve + floor);
      svg.path("line", curve.toString());
    }
  }

  /** A mark at the foot of the chart. */
  void mark(double share) {
    double at = left() + share * (right() - left());
    svg.line("failed", at, bottom() - GAP, at, bottom());
  }

  /** Three digits are enough for the eye. */
  static String number(double value) {
    return new BigDecimal(value).round(new MathContext(3)).stripTrailingZeros().toPlainString();
  }

  private static String time(double millis) {
    if (millis < 1) {
      return number(millis * 1000) + " µs";
    }
    return millis < 1000 ? number(millis) + " ms" : number(millis / 1000) + " s";
  }
}
