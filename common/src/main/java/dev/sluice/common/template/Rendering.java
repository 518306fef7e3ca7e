package dev.sluice.common.template;

import dev.sluice.common.template.Value.Bool;
import dev.sluice.common.template.Value.Function;
import dev.sluice.common.template.Value.Generator;
import dev.sluice.common.template.Value.Int;
import dev.sluice.common.template.Value.Items;
import dev.sluice.common.template.Value.Namespace;
import dev.sluice.common.template.Value.None;
import dev.sluice.common.template.Value.Range;
import dev.sluice.common.template.Value.Real;
import dev.sluice.common.template.Value.Text;
import dev.sluice.common.template.Value.Tuple;
import dev.sluice.common.template.Value.Undefined;
import dev.sluice.common.template.Value.View;
import java.math.BigDecimal;
import java.util.Collection;
import java.util.List;

/** Values as text: Python's {@code str} and {@code repr}. */
final class Rendering {
  private final Budget budget;

  Rendering(Budget budget) {
    this.budget = budget;
  }

  /** As {@code str}. */
  String str(Value value) {
    return switch (value) {
      case Text text -> text.value();
      case Undefined _ -> "";
      default -> repr(value);
    };
  }

  /** As {@code repr}. */
  String repr(Value value) {
    TextBuilder text = new TextBuilder(budget);
    append(text, value);
    return text.toString();
  }

  private void append(TextBuilder text, Value value) {
    budget.enter();
    switch (value) {
      case None _ -> text.append("None");
      case Bool bool -> text.append(bool == Bool.TRUE ? "True" : "False");
      case Int number -> text.append(Long.toString(number.value()));
      case Real real -> text.append(real(real.value()));
      case Text string -> quote(text, string.value());
      case Undefined _ -> text.append("Undefined");
      case Items list -> list(text, "[", list.items(), "]");
      case Tuple tuple -> list(text, "(", tuple.items(), tuple.items().size() == 1 ? ",)" : ")");
      case Dict dict -> dict(text, dict.entries());
      case Range range -> {
        text.append("range(" + range.start() + ", " + range.stop());
        text.append(range.step() == 1 ? ")" : ", " + range.step() + ")");
      }
      case View view -> {
        text.append(view.type()).append("(");
        list(text, "[", Values.toList(view, budget), "]");
        text.append(")");
      }
      case Namespace namespace -> {
        Dict members = new Dict();
        namespace.members().forEach((name, member) -> members.put(new Text(name), member));
        text.append("<Namespace ");
        dict(text, members.entries());
        text.append(">");
      }
      case Loop loop -> text.append("<LoopContext " + loop.index() + "/" + loop.length() + ">");
      case Generator _ -> text.append("<generator object>");
      case Function function -> text.append("<function " + function.name() + ">");
    }
    budget.leave();
  }

  private void list(TextBuilder text, String begin, List<Value> items, String end) {
    String separator = begin;
    for (Value item : items) {
      text.append(separator);
      append(text, item);
      separator = ", ";
    }
    text.append(items.isEmpty() ? begin : "").append(end);
  }

  private void dict(TextBuilder text, Collection<Dict.Entry> entries) {
    String separator = "";
    text.append("{");
    for (Dict.Entry entry : entries) {
      text.append(separator);
      append(text, entry.key());
      text.append(": ");
      append(text, entry.value());
      separator = ", ";
    }
    text.append("}");
  }

  private static void quote(TextBuilder text, String string) {
    char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
    text.append(quote);
    string
        .codePoints()
        .forEach(c -> {
          switch (c) {
            case '\\' -> text.append("\\\\");
            case '\n' -> text.append("\\n");
            case '\r' -> text.append("\\r");
            case '\t' -> text.append("\\t");
            default -> {
              if (c == quote) {
                text.append('\\').append(quote);
              } else if (isPrintable(c)) {
                text.appendCodePoint(c);
              } else {
                text.append(
                    (c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x").formatted(c));
              }
            }
          }
        });
    text.append(quote);
  }

  /** As {@code str.isprintable}, of one character. */
  static boolean isPrintable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** As {@code repr} of a float: the shortest digits that give the same number. */
  static String real(double value) {
    if (Double.isNaN(value)) {
      return "nan";
    }
    if (Double.isInfinite(value)) {
      return value > 0 ? "inf" : "-inf";
    }
    if (value == 0) {
      return 1 / value < 0 ? "-0.0" : "0.0";
    }
    BigDecimal decimal = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    String digits = decimal.unscaledValue().abs().toString();
    int exponent = digits.length() - 1 - decimal.scale();
    if (exponent >= -4 && exponent < 16) {
      String plain = decimal.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    return (value < 0 ? "-" : "")
        + digits.charAt(0)
        + fraction
        + (exponent < 0 ? "e-" : "e+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }
}
