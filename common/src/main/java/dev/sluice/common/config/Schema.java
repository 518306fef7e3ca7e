package dev.sluice.common.config;

import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The keys of a record type: one per component, in kebab case; records inside are sections.
 *
 * @param path the key of the section itself with a dot behind it; empty for the root
 */
record Schema(Class<?> type, String path, List<Member> members) {
  /** One component of the record. */
  sealed interface Member {
    /** The full key. */
    String key();

    RecordComponent component();
  }

  record Leaf(String key, RecordComponent component, LeafType type) implements Member {
    /** {@code SLUICE_SCHEDULER_MAX_SEQUENCES}. */
    String variable() {
      return ConfigLoader.PREFIX + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }
  }

  record Section(String key, RecordComponent component, Schema schema) implements Member {}

  static Schema of(Class<?> type) {
    return of(type, "");
  }

  private static Schema of(Class<?> type, String path) {
    RecordComponent[] components = type.getRecordComponents();
    if (components == null) {
      throw new IllegalArgumentException(type.getName() + " (expected: a record)");
    }
    List<Member> members = new ArrayList<>();
    for (RecordComponent component : components) {
      String key = path + kebab(component.getName());
      members.add(
          component.getType().isRecord() && component.getType() != ByteSize.class
              ? new Section(key, component, of(component.getType(), key + "."))
              : new Leaf(key, component, LeafType.of(component.getGenericType())));
    }
    return new Schema(type, path, List.copyOf(members));
  }

  /** Every section and leaf below, by full key, in the order of the records. */
  Map<String, Member> index() {
    Map<String, Member> index = new LinkedHashMap<>();
    for (Member member : members) {
      index.put(member.key(), member);
      if (member instanceof Section(_, _, Schema inner)) {
        index.putAll(inner.index());
      }
    }
    return index;
  }

  /** Every leaf below, in the order of the records. */
  List<Leaf> leaves() {
    List<Leaf> leaves = new ArrayList<>();
    for (Member member : members) {
      switch (member) {
        case Leaf leaf -> leaves.add(leaf);
        case Section section -> leaves.addAll(section.schema().leaves());
      }
    }
    return leaves;
  }

  /** {@code maxBatchedTokens} to {@code max-batched-tokens}. */
  private static String kebab(String name) {
    return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "-").toLowerCase(Locale.ROOT);
  }
}
