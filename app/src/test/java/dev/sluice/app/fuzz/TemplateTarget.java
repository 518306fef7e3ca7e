package dev.sluice.app.fuzz;

import dev.sluice.common.template.ChatTemplate;
import dev.sluice.common.template.TemplateException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** Chat templates come with checkpoints, which come from strangers. */
final class TemplateTarget implements FuzzTarget {
  private static final Map<String, Object> CONTEXT =
      Map.of(
          "messages",
          List.of(
              Map.of("role", "system", "content", "You are brief."),
              Map.of("role", "user", "content", "Hi <b>there</b>, it's é"),
              Map.of("role", "assistant", "content", "Hello", "n", 3L)),
          "tools",
          List.of(Map.of("name", "add", "parameters", Map.of("a", 1L, "b", 2.5))),
          "bos_token",
          "<s>",
          "eos_token",
          "</s>",
          "add_generation_prompt",
          true);

  @Override
  public List<String> seeds() {
    return List.of(
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' +"
            + " message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt"
            + " %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
        "{{ bos_token }}{%- for m in messages -%}{%- if loop.first and m.role == 'system'"
            + " -%}<<SYS>>{{ m.content | trim }}<</SYS>>{%- elif m.role == 'user' -%}[INST] {{"
            + " m.content }} [/INST]{%- else -%} {{ m['content'] | upper | replace('L', 'l') }}{{"
            + " eos_token }}{%- endif -%}{%- endfor -%}",
        "{% macro show(t, indent=2) %}{{ t | tojson(indent=indent) }}{% endmacro %}{% set ns ="
            + " namespace(n=0) %}{% for t in tools %}{% set ns.n = ns.n + t.parameters.a ** 2 // 1"
            + " %}{{ show(t) }}{% endfor %}{{ ns.n }} {{ tools | map(attribute='name') | join(', ')"
            + " }}",
        "{% macro z() %}<{{ caller(1) }}>{% endmacro %}{% set x = messages | selectattr('role',"
            + " 'equalto', 'user') | list %}{{ x | length }}{{ x[0].content[1:-1:2] }}{{ 'a%sb' %"
            + " 'c' }}{{ '{:>5}'.format(3) }}{% call(y) z() %}{{ y }}{% endcall %}",
        "{% if messages[0].role != 'system' %}{{ raise_exception('no system') }}{% endif %}{{"
            + " range(3) | list }}{{ 1.5 | round | int }}{{ 'x' ~ 2 ~ none }}{% filter upper %}q{%"
            + " endfilter %}{{ not (1 in [1, 2]) and 'b' > 'a' }}{# gone #}{% raw %}{{ }}{% endraw"
            + " %}");
  }

  @Override
  public List<String> dictionary() {
    return List.of(
        "{{",
        "}}",
        "{%",
        "%}",
        "{%-",
        "-%}",
        "{#",
        "#}",
        "for",
        " in ",
        "endfor",
        "if ",
        "else",
        "elif ",
        "endif",
        "set ",
        "macro ",
        "endmacro",
        "call ",
        "endcall",
        "filter ",
        "endfilter",
        "namespace(",
        "loop.",
        "range(9999999)",
        " * ",
        " ** ",
        " // ",
        " % ",
        " ~ ",
        " | ",
        "join",
        "map(",
        "select(",
        "tojson",
        "sort",
        "groupby(",
        "batch(",
        "indent(",
        "replace('', 'xx')",
        "'%9999s'",
        "'{:>99999}'",
        ".format(",
        ".split(",
        "[::-1]",
        "[1:2]",
        "is defined",
        "is mapping",
        "not ",
        "recursive",
        "loop(",
        "break",
        "continue",
        "raw",
        "endraw",
        "strftime_now(",
        "messages",
        "'",
        "\"",
        "(",
        ")");
  }

  @Override
  public boolean take(byte[] input) {
    try {
      return ChatTemplate.compile(new String(input, StandardCharsets.UTF_8)).render(CONTEXT)
          != null;
    } catch (TemplateException e) {
      return false;
    }
  }

  @Override
  public void close() {}
}
