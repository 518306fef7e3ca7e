package dev.sluice.app.bench;

import java.util.Locale;

/**
 * Writes SVG. Colours come from classes, so that one file suits light and dark pages.
 *
 * <p>Threading: one thread.
 */
final class Svg {
  private static final String STYLE =
      """
      <style>
        text { font: 12px system-ui, sans-serif; fill: #52514e; }
        .title { font-size: 16px; font-weight: 600; fill: #1b1b1a; }
        .name { font-size: 13px; font-weight: 600; fill: #1b1b1a; }
        .page { fill: #fcfcfb; }
        .grid { stroke: #e3e2de; fill: none; }
        .line { stroke: #2a78d6; stroke-width: 2; fill: none; stroke-linejoin: round; }
        .area { fill: #2a78d6; fill-opacity: 0.14; stroke: none; }
        .point { fill: #2a78d6; stroke: #fcfcfb; stroke-width: 2; }
        .failed { stroke: #d03b3b; stroke-width: 2; }
        @media (prefers-color-scheme: dark) {
          text { fill: #c3c2b7; }
          .title, .name { fill: #fcfcfb; }
          .page { fill: #1a1a19; }
          .grid { stroke: #383835; }
          .line { stroke: #3987e5; }
          .area, .point { fill: #3987e5; }
          .point { stroke: #1a1a19; }
          .failed { stroke: #e66767; }
        }
      </style>
      """;

  private final StringBuilder out = new StringBuilder(1 << 14);

  /** Begins a picture. */
  Svg(int width, int height) {
    out.append(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\">\n"
                .formatted(width, height, width, height))
        .append(STYLE)
        .append("<rect class=\"page\" width=\"%d\" height=\"%d\"/>\n".formatted(width, height));
  }

  /** What a picture shows, for those who do not see it. */
  void describe(String text) {
    out.append("<title>").append(escaped(text)).append("</title>\n");
  }

  /**
   * @param anchor {@code start}, {@code middle} or {@code end}
   */
  void text(String style, double x, double y, String anchor, String text) {
    out.append("<text class=\"").append(style).append("\" x=\"").append(pixels(x));
    out.append("\" y=\"").append(pixels(y)).append("\" text-anchor=\"").append(anchor);
    out.append("\">").append(escaped(text)).append("</text>\n");
  }

  void line(String style, double x1, double y1, double x2, double y2) {
    path(style, "M" + point(x1, y1) + "L" + point(x2, y2));
  }

  void circle(String style, double x, double y, double radius) {
    out.append("<circle class=\"").append(style).append("\" cx=\"").append(pixels(x));
    out.append("\" cy=\"").append(pixels(y)).append("\" r=\"").append(pixels(radius));
    out.append("\"/>\n");
  }

  void path(String style, String path) {
    out.append("<path class=\"").append(style).append("\" d=\"").append(path).append("\"/>\n");
  }

  /** A point within a path. */
  static String point(double x, double y) {
    return pixels(x) + " " + pixels(y);
  }

  private static String pixels(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  /** Ends it. */
  String end() {
    return out.append("</svg>\n").toString();
  }
}
