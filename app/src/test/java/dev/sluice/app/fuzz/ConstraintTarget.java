package dev.sluice.app.fuzz;

import dev.sluice.common.error.RefusalException;
import dev.sluice.common.tokenizer.TokenizerBundle;
import dev.sluice.worker.constraint.ConstraintSource;
import dev.sluice.worker.constraint.ConstraintState;
import dev.sluice.worker.constraint.Constraints;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;

/** Schemas and regular expressions come with requests. What compiles is also walked a few steps. */
final class ConstraintTarget implements FuzzTarget {
  private static final int STEPS = 12;

  private final Function<String, ConstraintSource> source;
  private final List<String> seeds;
  private final List<String> dictionary;
  private final Constraints constraints;

  private ConstraintTarget(
      TokenizerBundle tokenizer,
      Function<String, ConstraintSource> source,
      List<String> seeds,
      List<String> dictionary) {
    this.source = source;
    this.seeds = seeds;
    this.dictionary = dictionary;
    constraints = new Constraints(tokenizer);
  }

  static ConstraintTarget schemas(TokenizerBundle tokenizer) {
    return new ConstraintTarget(
        tokenizer,
        ConstraintSource.JsonSchema::new,
        List.of(
            "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":20},\"age\":"
                + "{\"type\":\"integer\",\"minimum\":0,\"maximum\":150}},\"required\":[\"name\"],"
                + "\"additionalProperties\":false}",
            "{\"$defs\":{\"node\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"number\"},\"next\":"
                + "{\"anyOf\":[{\"$ref\":\"#/$defs/node\"},{\"type\":\"null\"}]}},\"required\":[\"v\"]}},"
                + "\"$ref\":\"#/$defs/node\"}",
            "{\"type\":\"array\",\"items\":{\"enum\":[\"a\",1,null,true]},\"minItems\":1,\"maxItems\":4}",
            "{\"type\":\"string\",\"pattern\":\"^[a-z]{2,5}-\\\\d+$\"}",
            "{\"anyOf\":[{\"const\":{\"k\":[1,2]}},{\"type\":[\"boolean\",\"null\"]},{\"type\":\"string\","
                + "\"format\":\"date\"}]}",
            "{\"type\":\"number\",\"exclusiveMinimum\":-1.5,\"maximum\":1e3}"),
        List.of(
            "\"type\":",
            "\"object\"",
            "\"array\"",
            "\"string\"",
            "\"integer\"",
            "\"number\"",
            "\"null\"",
            "\"boolean\"",
            "\"properties\":",
            "\"required\":",
            "\"items\":",
            "\"enum\":",
            "\"const\":",
            "\"anyOf\":",
            "\"allOf\":",
            "\"oneOf\":",
            "\"not\":",
            "\"$ref\":\"#\"",
            "\"$ref\":\"#/$defs/node\"",
            "\"pattern\":",
            "\"minLength\":1000000",
            "\"maxLength\":",
            "\"minItems\":",
            "\"maxItems\":100000",
            "\"minimum\":",
            "\"maximum\":",
            "\"format\":\"uuid\"",
            "\"additionalProperties\":true",
            "\"prefixItems\":",
            ",",
            ":",
            "{",
            "}",
            "[",
            "]"));
  }

  static ConstraintTarget expressions(TokenizerBundle tokenizer) {
    return new ConstraintTarget(
        tokenizer,
        ConstraintSource.Regex::new,
        List.of(
            "[a-z]+@[a-z]+\\.(com|org)",
            "(?:\\d{1,3}\\.){3}\\d{1,3}",
            "\\p{L}[\\p{L}\\p{N}_-]{0,15}",
            "(yes|no|(may|might) ?be)?[^\\n\"]*",
            "^[\\x00-\\x7f\\u00e9]{2,4}$"),
        List.of(
            "(",
            ")",
            "(?:",
            "(?i)",
            "(?=",
            "[",
            "]",
            "[^",
            "*",
            "+",
            "?",
            "{1000}",
            "{0,60000}",
            "{2,}",
            "|",
            "\\d",
            "\\w",
            "\\s",
            "\\b",
            "\\p{L}",
            "\\P{Lu}",
            "\\x{10ffff}",
            "\\u00e9",
            ".",
            "^",
            "$",
            "\\1",
            "*?",
            "++",
            "(a|a)*",
            "(.*)*",
            "[a-\\x{ffff}]",
            "\\"));
  }

  @Override
  public List<String> seeds() {
    return seeds;
  }

  @Override
  public List<String> dictionary() {
    return dictionary;
  }

  @Override
  public boolean take(byte[] input) {
    ConstraintState state;
    try {
      String text = new String(input, StandardCharsets.UTF_8);
      state = constraints.begin(source.apply(text)).await().start();
    } catch (RefusalException e) {
      return false;
    }
    for (int step = 0; step < STEPS && !state.isDone(); step++) {
      int token = firstAllowed(state.allowed());
      if (token < 0) {
        break;
      }
      state.accept(token);
    }
    return true;
  }

  private static int firstAllowed(long[] allowed) {
    for (int i = 0; i < allowed.length; i++) {
      if (allowed[i] != 0) {
        return i * Long.SIZE + Long.numberOfTrailingZeros(allowed[i]);
      }
    }
    return -1;
  }

  @Override
  public void close() {
    constraints.close();
  }
}
