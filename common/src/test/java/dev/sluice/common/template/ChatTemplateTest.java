package dev.sluice.common.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChatTemplateTest {
  @Test
  void errorsTellTheLine() {
    assertThatThrownBy(() -> ChatTemplate.compile("a\nb {{ x | }}"))
        .isInstanceOfSatisfying(TemplateException.class, e -> assertThat(e.line()).isEqualTo(2))
        .hasMessage("line 2: '}}' (expected: a name)");
    assertThatThrownBy(() -> ChatTemplate.compile("{% if x %}\n\nabc"))
        .hasMessage("line 3: end of template (expected: {% elif %} or {% else %} or {% endif %})");
    assertThatThrownBy(() -> ChatTemplate.compile("{% include 'x' %}"))
        .hasMessage("line 1: unknown tag 'include'");
    assertThatThrownBy(() -> ChatTemplate.compile("{{ 'abc }}")).hasMessageContaining("string");
    assertThatThrownBy(() -> ChatTemplate.compile("{{ (1] }}"))
        .hasMessage("line 1: unexpected ']'");
    assertThatThrownBy(() -> ChatTemplate.compile("{% break %}"))
        .hasMessage("line 1: 'break' outside of a loop");
    ChatTemplate template =
        ChatTemplate.compile("{% for m in messages %}\n{{ m.text.size }}\n{% endfor %}");
    assertThatThrownBy(() -> template.render(Map.of("messages", List.of(Map.of()))))
        .hasMessage("line 2: 'dict object' has no attribute 'text'");
  }

  @Test
  void contextIsPlainJava() {
    Map<String, Object> message = new HashMap<>();
    message.put("content", null);
    message.put("n", List.of(1, 2L, 0.5, true, "x"));
    assertThat(ChatTemplate.compile("{{ m.content }} {{ m.n }}").render(Map.of("m", message)))
        .isEqualTo("None [1, 2, 0.5, True, 'x']");
    assertThatThrownBy(
            () -> ChatTemplate.compile("").render(Map.of("m", Map.of("x", new StringBuilder()))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("m.x: java.lang.StringBuilder (expected: ");
  }

  @Test
  void oneTemplateServesManyThreads() throws Exception {
    ChatTemplate template =
        ChatTemplate.compile(
            "{% set ns = namespace(s=0) %}{% for i in range(n) %}"
                + "{% set ns.s = ns.s + i %}{% endfor %}{{ ns.s }}");
    try (var threads = Executors.newFixedThreadPool(4)) {
      List<Future<String>> results =
          IntStream.range(0, 64)
              .mapToObj(n -> threads.submit(() -> template.render(Map.of("n", n))))
              .toList();
      for (int n = 0; n < results.size(); n++) {
        assertThat(results.get(n).get()).isEqualTo(Integer.toString(n * (n - 1) / 2));
      }
    }
  }

  /** Templates that would take all memory, all time or the whole stack. */
  @ParameterizedTest
  @Timeout(60)
  @ValueSource(
      strings = {
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
        "{{ range(100001) }}",
        "{% for i in range(0, 9223372036854775807) %}{% endfor %}",
        "{% for i in range(-9223372036854775807, 9223372036854775807) %}{% endfor %}",
        "{% set ns = namespace(s='abcdefgh') %}{% for i in range(99) %}"
            + "{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
        "{% set ns = namespace(s='abcdefgh') %}{% for i in range(99) %}"
            + "{% set ns.s = ns.s.replace('a', ns.s) %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}"
            + "{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(99) %}"
            + "{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1], t=[1]) %}{% for i in range(99) %}"
            + "{% set ns.s = [ns.s, ns.s] %}{% set ns.t = [ns.t, ns.t] %}{% endfor %}"
            + "{{ ns.s == ns.t }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}"
            + "{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s | tojson }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(9999) %}"
            + "{% set ns.s = (ns.s,) %}{% endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace(s=(1,)) %}{% for i in range(99) %}"
            + "{% set ns.s = (ns.s, ns.s) %}{% endfor %}{{ {ns.s: 1} }}",
        "{% set ns = namespace(g=[1]) %}{% for i in range(99999) %}"
            + "{% set ns.g = ns.g | map('int') %}{% endfor %}{{ ns.g | list }}",
        "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}",
        "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
        "{% macro f(n) %}{% call f(n) %}{{ f(n) }}{% endcall %}{{ caller() }}{% endmacro %}"
            + "{{ f(0) }}",
        "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{{ 'x' * 999999999999 }}",
        "{{ [0] * 999999999999 }}",
        "{{ 'x' | center(999999999999) }}",
        "{{ 'x'.ljust(999999999999) }}",
        "{{ 'x'.zfill(999999999999) }}",
        "{{ '\t'.expandtabs(999999999999) }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%.999999999f' % 1 }}",
        "{{ '{:999999999}'.format(1) }}",
        "{{ [1] | tojson(indent=999999999999) }}",
        "{{ 'a\nb' | indent(999999999999) }}",
        "{{ [1] | batch(999999999999, 0) | list }}",
        "{{ [1] | slice(999999999999) | list }}",
        "{{ ('a,' * 8000000).split(',') }}",
        "{{ ('a ' * 8000000).split() }}",
        "{{ ('é' * 8000000) | urlencode }}",
        "{{ ('a' * 8000000) | list | length }}",
        "{% set t = (1,) * 999 %}{% set t = (t,) * 999 %}{% set t = (t,) * 999 %}{{ {t: 1} }}",
        "{{ 10 ** 1000000000000 }}",
        "{{ 9223372036854775807 + 1 }}",
        "{{ 9223372036854775808 }}",
        "{{ ('x' * 9999999) ~ ('x' * 9999999) }}",
      })
  void hostileTemplatesEndSoon(String template) throws InterruptedException {
    assertThat(inSmallStack(template)).isInstanceOf(TemplateException.class);
  }

  /** What rendering throws in a thread with half of the usual stack. */
  private static Throwable inSmallStack(String template) throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>(new AssertionError("no exception"));
    Runnable render = () -> ChatTemplate.compile(template).render(Map.of("x", Map.of()));
    Thread thread = new Thread(null, render, "template", 512 << 10);
    thread.setUncaughtExceptionHandler((_, e) -> thrown.set(e));
    thread.start();
    thread.join();
    return thrown.get();
  }

  @Test
  @Timeout(60)
  void deepSourcesAreRefused() throws InterruptedException {
    List<String> sources = new ArrayList<>();
    for (String[] parts :
        new String[][] {
          {"{{ ", "(", "1", ")", " }}"},
          {"{{ ", "[", "1", "]", " }}"},
          {"{{ ", "-", "1", "", " }}"},
          {"{{ ", "not ", "1", "", " }}"},
          {"{{ ", "1 if 1 else ", "1", "", " }}"},
          {"{{ ", "1 + ", "1", "", " }}"},
          {"{{ ", "", "x", ".x", " }}"},
          {"{{ ", "", "1", "|int", " }}"},
          {"{{ ", "", "1", " and 1", " }}"},
          {"", "{% if 1 %}", "1", "{% endif %}", ""},
          {"", "{% for x in [1] %}", "1", "{% endfor %}", ""},
        }) {
      int times = 20_000;
      sources.add(parts[0] + parts[1].repeat(times) + parts[2] + parts[3].repeat(times) + parts[4]);
    }
    for (String source : sources) {
      assertThat(inSmallStack(source)).isInstanceOf(TemplateException.class);
    }
  }

  @Test
  void macrosMayCallThemselvesAsOftenAsSchemasNest() {
    ChatTemplate template =
        ChatTemplate.compile(
            "{% macro f(n) %}{% if n > 0 %}{{ '<' ~ f(n - 1) ~ '>' }}{% endif %}{% endmacro %}"
                + "{{ f(25) }}");
    assertThat(template.render(Map.of())).isEqualTo("<".repeat(25) + ">".repeat(25));
  }

  @Test
  void longConversationsAreWellWithinTheLimits() {
    List<Map<String, Object>> messages = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      messages.add(Map.of("role", i % 2 == 0 ? "user" : "assistant", "content", "x".repeat(2_000)));
    }
    ChatTemplate template =
        ChatTemplate.compile(
            "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] | trim"
                + " + '<|im_end|>' + '\n' }}{% endfor %}");
    assertThat(template.render(Map.of("messages", messages))).hasSizeGreaterThan(4_000_000);
  }
}
