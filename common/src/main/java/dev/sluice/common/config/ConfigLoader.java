package dev.sluice.common.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Fills a tree of records: defaults, overridden by a YAML file, overridden by environment
 * variables, overridden by flags.
 *
 * <p>A component {@code maxSequences} of a record {@code scheduler} is {@code
 * scheduler.max-sequences} in YAML (nested or dotted) and as a flag, and {@code
 * SLUICE_SCHEDULER_MAX_SEQUENCES} in the environment. A record refuses values in its compact
 * constructor with an IllegalArgumentException that begins with the key: {@code max-sequences: 0
 * (expected: 1 to 4096)}.
 */
public final class ConfigLoader {
  static final String PREFIX = "SLUICE_";

  /** Variables with the prefix that are for the process, not for a key. */
  private static final Set<String> PROCESS_VARIABLES =
      Set.of(
          "SLUICE_HOME",
          "SLUICE_JAVA_OPTS",
          "SLUICE_AOT_DIR",
          "SLUICE_CONFIG",
          "SLUICE_LOG",
          "SLUICE_LOG_FORMAT",
          "SLUICE_API_KEY");

  /** What Kubernetes adds for a Service whose name begins with "sluice". */
  private static final Pattern SERVICE_LINK =
      Pattern.compile(
          "SLUICE_.*SERVICE_(HOST|PORT(_\\w+)?)|SLUICE_(.*_)?PORT(_\\d+_(TCP|UDP)(_\\w+)?)?");

  private final Schema schema;
  private final List<String> problems = new ArrayList<>();

  /** The strongest setting of each key; later sources replace earlier ones. */
  private final Map<String, Given> givens = new LinkedHashMap<>();

  private ConfigLoader(Schema schema) {
    this.schema = schema;
  }

  /**
   * The configuration of this process.
   *
   * @param yaml a file; missing or unreadable is an error
   * @param env all variables of the process; those without the prefix are left alone
   * @param flags values by full key, without dashes in front
   * @throws ConfigException with every problem found
   */
  public static <T extends Record> Loaded<T> load(
      Class<T> type,
      T defaults,
      Optional<Path> yaml,
      Map<String, String> env,
      Map<String, String> flags) {
    ConfigLoader loader = new ConfigLoader(Schema.of(type));
    yaml.ifPresent(loader::readFile);
    loader.readEnvironment(env);
    loader.readFlags(flags);
    T config = type.cast(loader.build(loader.schema, defaults));
    if (!loader.problems.isEmpty()) {
      throw new ConfigException(loader.problems);
    }
    return new Loaded<>(config);
  }

  private void readFile(Path file) {
    YamlReader reader = new YamlReader(file, schema.index(), problems);
    for (Given given : reader.read()) {
      givens.put(given.key(), given);
    }
  }

  private void readEnvironment(Map<String, String> env) {
    Map<String, Schema.Leaf> byVariable = new LinkedHashMap<>();
    for (Schema.Leaf leaf : schema.leaves()) {
      Schema.Leaf twin = byVariable.put(leaf.variable(), leaf);
      if (twin != null) {
        throw new IllegalArgumentException(
            leaf.key() + " and " + twin.key() + " have the same variable " + leaf.variable());
      }
    }
    env.entrySet().stream()
        .filter(variable -> variable.getKey().startsWith(PREFIX))
        .sorted(Map.Entry.comparingByKey())
        .forEach(variable -> {
          String name = variable.getKey();
          Schema.Leaf leaf = byVariable.get(name);
          if (leaf != null) {
            givens.put(leaf.key(), new Given(leaf.key(), text(leaf, variable.getValue()), name));
          } else if (!PROCESS_VARIABLES.contains(name) && !SERVICE_LINK.matcher(name).matches()) {
            problems.add(name + ": unknown variable " + Nearest.hint(name, byVariable.keySet()));
          }
        });
  }

  private void readFlags(Map<String, String> flags) {
    Map<String, Schema.Leaf> byKey = new LinkedHashMap<>();
    for (Schema.Leaf leaf : schema.leaves()) {
      byKey.put(leaf.key(), leaf);
    }
    flags.forEach((key, value) -> {
      Schema.Leaf leaf = byKey.get(key);
      if (leaf == null) {
        problems.add("--" + key + ": unknown flag " + Nearest.hint(key, byKey.keySet()));
      } else {
        givens.put(key, new Given(key, text(leaf, value), "--" + key));
      }
    });
  }

  /** Outside YAML there is no null: an empty text is one where the key may be absent. */
  private static Raw text(Schema.Leaf leaf, String value) {
    return leaf.type() instanceof LeafType.Maybe && value.isEmpty()
        ? new Raw.Nothing()
        : new Raw.Text(value);
  }

  private Record build(Schema section, Record defaults) {
    int problemsBefore = problems.size();
    Object[] values = new Object[section.members().size()];
    for (int i = 0; i < values.length; i++) {
      Schema.Member member = section.members().get(i);
      Object fallback = Reflection.read(member.component(), defaults);
      values[i] =
          switch (member) {
            case Schema.Leaf leaf -> value(leaf, fallback);
            case Schema.Section inner -> build(inner.schema(), (Record) fallback);
          };
    }
    if (problems.size() > problemsBefore) {
      return defaults; // what the constructor would say about a mixture helps nobody
    }
    try {
      return Reflection.build(section.type(), values);
    } catch (IllegalArgumentException | ArithmeticException e) {
      problems.add(refused(section, String.valueOf(e.getMessage())));
      return defaults;
    }
  }

  private Object value(Schema.Leaf leaf, Object fallback) {
    Given given = givens.get(leaf.key());
    if (given == null) {
      return fallback;
    }
    try {
      return leaf.type().parse(given.raw());
    } catch (IllegalArgumentException e) {
      problems.add(given.source() + ": " + leaf.key() + ": " + e.getMessage());
      return fallback;
    }
  }

  /** Finds the setting that a constructor's message is about: its key comes first in the text. */
  private String refused(Schema section, String message) {
    List<String> sources = new ArrayList<>();
    for (Schema.Leaf leaf : section.leaves()) {
      Given given = givens.get(leaf.key());
      if (given == null) {
        continue;
      }
      String name = leaf.key().substring(section.path().length());
      if (message.startsWith(name + ":")) {
        return given.source() + ": " + section.path() + message;
      }
      sources.add(given.source());
    }
    String source = sources.isEmpty() ? "defaults" : String.join(", ", sources);
    return source + ": " + section.path() + message;
  }
}
