package dev.sluice.common.template;

import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever the source is: it renders or it is a {@link TemplateException}. */
class ChatTemplateProperties {
  private static final List<String> PIECES =
      List.of(
          "{{ ",
          " }}",
          "{%- ",
          "{% ",
          " %}",
          " -%}",
          "{# ",
          " #}",
          "{% raw %}",
          "{% endraw %}",
          "if ",
          "elif ",
          "else ",
          "endif ",
          "for ",
          "endfor ",
          "x ",
          "in ",
          "recursive ",
          "set ",
          "endset ",
          "macro ",
          "endmacro ",
          "call ",
          "endcall ",
          "filter ",
          "endfilter ",
          "with ",
          "endwith ",
          "generation ",
          "endgeneration ",
          "break ",
          "continue ",
          "print ",
          "loop",
          "messages",
          "d",
          "ns",
          "namespace(a=1)",
          "caller()",
          "f(x)",
          ".role",
          ".items()",
          ".get('a')",
          "[0]",
          "[::-1]",
          "[1:]",
          "[",
          "]",
          "(",
          ")",
          "{",
          "}",
          ",",
          ":",
          "=",
          "==",
          "<",
          "+ ",
          "- ",
          "* ",
          "/ ",
          "// ",
          "% ",
          "** ",
          "~ ",
          "| ",
          ". ",
          "is ",
          "not ",
          "and ",
          "or ",
          "none ",
          "true ",
          "1 ",
          "-7 ",
          "0.5 ",
          "1e400 ",
          "'a\\n' ",
          "\"é\uD83D\uDE00\" ",
          "'%s %d' ",
          "'{} {a}' ",
          "range(9)",
          "dict(a=1)",
          "tojson",
          "map('upper')",
          "join(',')",
          "select('odd')",
          "sort",
          "groupby('a')",
          "default(1)",
          "list",
          "length",
          "int",
          "round",
          "batch(2)",
          "slice(3)",
          "truncate(3)",
          "indent",
          "title",
          "defined ",
          "odd ",
          "sameas 1 ",
          "divisibleby 0 ",
          "strftime_now('%c')",
          "text\n",
          "  ",
          "\r\n",
          "\\",
          "'",
          "\u0000");

  @Provide
  Arbitrary<String> pieces() {
    return Arbitraries.of(PIECES).list().ofMaxSize(40).map(pieces -> String.join("", pieces));
  }

  /** Well-formed around the edges, so that more gets as far as rendering. */
  @Provide
  Arbitrary<String> expressions() {
    return Arbitraries.of(PIECES.subList(33, PIECES.size() - 6))
        .list()
        .ofMinSize(1)
        .ofMaxSize(12)
        .map(pieces -> "{{ " + String.join("", pieces) + " }}");
  }

  @Property(tries = 3_000, seed = "11")
  void piecesRenderOrFail(@ForAll("pieces") String source) {
    renderOrFail(source);
  }

  @Property(tries = 5_000, seed = "12")
  void expressionsRenderOrFail(@ForAll("expressions") String source) {
    renderOrFail(source);
  }

  @Property(tries = 1_000, seed = "13")
  void anyTextRendersOrFails(@ForAll String source) {
    renderOrFail(source);
    renderOrFail("{{ " + source + " }}");
    renderOrFail("{% " + source + " %}");
  }

  private static void renderOrFail(String source) {
    try {
      ChatTemplate.compile(source)
          .render(
              Map.of(
                  "messages",
                  List.of(Map.of("role", "user", "content", "Hi"), Map.of("role", "x")),
                  "d",
                  Map.of("a", 1),
                  "x",
                  List.of(3, 1, 2)));
    } catch (TemplateException _) {
      // One of the two allowed ends.
    }
  }
}
