package dev.sluice.common.config;

/** Writes a configuration as YAML, every key with its value. */
final class YamlWriter {
  private final StringBuilder out = new StringBuilder();

  private YamlWriter() {}

  static String write(Record config) {
    YamlWriter writer = new YamlWriter();
    writer.section(Schema.of(config.getClass()), config, "");
    return writer.out.toString();
  }

  private void section(Schema schema, Record values, String indent) {
    for (Schema.Member member : schema.members()) {
      Object value = Reflection.read(member.component(), values);
      String name = member.key().substring(schema.path().length());
      out.append(indent).append(name).append(':');
      switch (member) {
        case Schema.Leaf leaf -> out.append(' ').append(leaf.type().write(value)).append('\n');
        case Schema.Section(_, _, Schema inner) when inner.members().isEmpty() ->
            out.append(" {}\n");
        case Schema.Section(_, _, Schema inner) -> {
          out.append('\n');
          section(inner, (Record) value, indent + "  ");
        }
      }
    }
  }
}
