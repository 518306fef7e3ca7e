package dev.sluice.worker.constraint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.sluice.common.error.RefusalException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Masks of compiled constraints, token by token. */
class ConstraintTest {
  private static final List<ConstraintSource> SOURCES =
      List.of(
          new ConstraintSource.Regex("(ab|a\u20AC|[^a-z]{1,3}c*)+"),
          new ConstraintSource.Regex("a{3,60}b"),
          new ConstraintSource.Choices(List.of("abc", "ab", "true", "\u4F60\u597D!", "a\u20ACb")),
          new ConstraintSource.JsonSchema(
              "{\"type\":\"string\",\"minLength\":70,\"maxLength\":90}"),
          new ConstraintSource.JsonSchema(
              "{\"type\":\"array\",\"minItems\":40,\"maxItems\":50,\"items\":{\"enum\":[1,12,123]}}"),
          new ConstraintSource.JsonSchema(
              """
              {"type":"object","properties":{"name":{"type":"string","maxLength":4},
              "value":{"type":["integer","null"],"minimum":0,"maximum":1234}},
              "required":["value"],"additionalProperties":{"type":"boolean"}}
              """));

  /** A token is allowed if and only if its bytes, one by one, lead to a state that goes on. */
  @Test
  void masksAreWhatTheBytesSay() {
    for (ConstraintSource source : SOURCES) {
      Constraint constraint = TestVocabulary.compile(source);
      for (int seed = 0; seed < 5; seed++) {
        Random random = new Random(seed);
        ConstraintState state = constraint.start();
        for (int i = 0; i < 100 && !state.isDone(); i++) {
          List<Integer> allowed = TestVocabulary.allowed(state);
          List<Integer> expected = new ArrayList<>();
          for (int token = 0; token < TestVocabulary.TOKENS.size(); token++) {
            if (TestVocabulary.TOKENS.get(token).length <= 32 && goesOn(state, token)) {
              expected.add(token);
            }
          }
          assertThat(allowed).as("%s, token %d", source, i).isEqualTo(expected).isNotEmpty();
          state.accept(allowed.get(random.nextInt(allowed.size())));
        }
      }
    }
  }

  private static boolean goesOn(ConstraintState before, int token) {
    ConstraintState state = before.fork();
    for (byte octet : TestVocabulary.TOKENS.get(token)) {
      if (!state.allows(octet & 0xFF)) {
        return false;
      }
      state.accept(octet & 0xFF);
    }
    return true;
  }

  @Test
  void endsWhereNothingMayFollow() {
    ConstraintState state = TestVocabulary.compile(SOURCES.get(2)).start();
    assertThat(state.isAccepting()).isFalse();
    state.accept('a');
    state.accept('b');
    assertThat(state.isAccepting()).isTrue();
    assertThat(state.isDone()).isFalse();
    ConstraintState fork = state.fork();
    state.accept('c');
    assertThat(state.isDone()).isTrue();
    assertThat(TestVocabulary.allowed(state)).isEmpty();
    assertThat(fork.isDone()).isFalse();
    assertThat(fork.allows(TestVocabulary.EOS)).isFalse();
    fork.accept(TestVocabulary.EOS); // no text
    assertThat(fork.isAccepting()).isTrue();
    fork.accept('x');
    assertThat(fork.isAccepting()).isFalse();
    assertThat(fork.isDone()).isFalse();
    assertThat(TestVocabulary.allowed(fork)).isEmpty();
  }

  /** However little is remembered, the masks are the same. */
  @Test
  void memoryIsBoundedAndChangesNothing() {
    for (ConstraintSource source : SOURCES) {
      Constraint roomy = TestVocabulary.compile(source);
      Constraint tight = new Constraint(program(source), TestVocabulary.VOCABULARY, 20_000);
      ConstraintState a = roomy.start();
      ConstraintState b = tight.start();
      Random random = new Random(7);
      for (int i = 0; i < 200 && !a.isDone(); i++) {
        List<Integer> allowed = TestVocabulary.allowed(a);
        assertThat(TestVocabulary.allowed(b)).isEqualTo(allowed);
        int token = allowed.get(random.nextInt(allowed.size()));
        a.accept(token);
        b.accept(token);
        assertThat(tight.bytes()).isLessThan(400_000);
      }
    }
  }

  private static Program program(ConstraintSource source) {
    Budget budget = new Budget(CompileLimits.defaults(), () -> false);
    return switch (source) {
      case ConstraintSource.JsonSchema(String schema) -> SchemaCompiler.compile(schema, budget);
      case ConstraintSource.Regex(String pattern) ->
          Program.of(
              Determinizer.of(RegexParser.parse(pattern, budget), TextEncoding.PLAIN, budget));
      case ConstraintSource.Choices(List<String> values) -> Program.of(Literals.of(values, budget));
    };
  }

  /** Lengths far from their bounds share their masks. */
  @Test
  void countsShareStates() {
    Constraint constraint =
        TestVocabulary.compile(
            new ConstraintSource.JsonSchema("{\"type\":\"string\",\"maxLength\":100000}"));
    ConstraintState state = constraint.start();
    state.accept('"');
    state.accept('x');
    long[] first = state.allowed();
    for (int i = 0; i < 1000; i++) {
      state.accept('x');
      assertThat(state.allowed()).isSameAs(first);
    }
  }

  @Test
  void theFirstSpaceOfSentencePieceIsNoText() {
    Automaton automaton =
        new Automaton(program(new ConstraintSource.Regex(" ?ab?")), true, 1 << 20);
    State start = automaton.start();
    State afterSpace = automaton.next(start, ' ');
    assertThat(automaton.next(start, 'a').accepting).isTrue();
    assertThat(automaton.next(afterSpace, 'a').accepting).isTrue();
    assertThat(automaton.next(automaton.next(afterSpace, ' '), 'a').accepting).isTrue();
    assertThat(automaton.next(automaton.next(afterSpace, ' '), ' ').isDead()).isTrue();
  }

  @Test
  void hostileConstraintsAreRefusedInBoundedTime() {
    List<ConstraintSource> hostile =
        List.of(
            new ConstraintSource.Regex("(x|y)*x(x|y){20}"),
            new ConstraintSource.Regex("(a{1,100}){1,100}(a{1,100}){1,100}"),
            new ConstraintSource.Regex("((((a{1,10000}){1,10000}){1,10000}){1,10000})"),
            new ConstraintSource.Regex("(".repeat(100_000)),
            new ConstraintSource.Regex("a".repeat(1 << 20)),
            new ConstraintSource.Regex(".*a.{30}b.*"),
            new ConstraintSource.Regex("(a|b|ab)*".repeat(50) + "c{0,200}" + "(.*a){25}.{12}"),
            new ConstraintSource.Regex("[\\x00-\\x{10FFFF}]".repeat(10_000)),
            new ConstraintSource.JsonSchema("[".repeat(1 << 20)),
            new ConstraintSource.JsonSchema("{\"items\":".repeat(30_000) + "1"),
            new ConstraintSource.JsonSchema("{\"items\":".repeat(99) + "{}" + "}".repeat(99)),
            new ConstraintSource.JsonSchema("{\"const\":\"" + "x".repeat(1 << 20) + "\"}"),
            new ConstraintSource.JsonSchema(laughs()),
            new ConstraintSource.JsonSchema(
                "{\"type\":\"string\",\"pattern\":\".*a.{20}\",\"maxLength\":10000}"),
            new ConstraintSource.JsonSchema("{\"minimum\":1e1000000000,\"type\":\"number\"}"),
            new ConstraintSource.JsonSchema(properties(20_000)),
            new ConstraintSource.JsonSchema(options(4000)));
    for (ConstraintSource source : hostile) {
      long start = System.nanoTime();
      assertThatExceptionOfType(RefusalException.class)
          .as(TestVocabulary.shown(source))
          .isThrownBy(() -> TestVocabulary.compile(source));
      assertThat((System.nanoTime() - start) / 1_000_000)
          .as("milliseconds of " + TestVocabulary.shown(source))
          .isLessThan(8000);
    }
  }

  /** Each definition merges the next one twice. */
  private static String laughs() {
    StringBuilder schema = new StringBuilder("{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < 40; i++) {
      schema.append(
          "\"d%d\":{\"type\":\"object\",\"properties\":{\"a\":{\"title\":\"\",\"$ref\":\"#/$defs/d%d\",\"minProperties\":0},\"b\":{\"$ref\":\"#/$defs/d%d\",\"minProperties\":0}}},"
              .formatted(i, i + 1, i + 1));
    }
    return schema.append("\"d40\":{\"type\":\"object\"}}}").toString();
  }

  private static String properties(int count) {
    StringBuilder schema = new StringBuilder("{\"properties\":{\"p\":{}");
    for (int i = 0; i < count; i++) {
      schema.append(",\"p").append(i).append("\":{}");
    }
    return schema.append("}}").toString();
  }

  /** Options that might all be the same. */
  private static String options(int count) {
    StringBuilder schema = new StringBuilder("{\"oneOf\":[{\"minimum\":0}");
    for (int i = 0; i < count; i++) {
      schema.append(",{\"minimum\":").append(i).append('}');
    }
    return schema.append("]}").toString();
  }

  /** Schemas that compile, but whose outputs are at very many places at once. */
  @Test
  void ambiguityCostsBoundedTime() {
    StringBuilder patterns = new StringBuilder("{\"anyOf\":[{\"type\":\"null\"}");
    for (int i = 0; i < 300; i++) {
      patterns.append(",{\"type\":\"string\",\"pattern\":\"^[a-z]{0,%d}x\"}".formatted(3 + i % 7));
    }
    String nested =
        "{\"$defs\":{\"a\":{\"anyOf\":[{\"type\":\"integer\"},"
            + "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/a\"},\"maxItems\":2},"
            + "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/a\"},\"maxItems\":3},"
            + "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/a\"},\"maxItems\":4}]}},"
            + "\"$ref\":\"#/$defs/a\"}";
    for (String schema : List.of(patterns.append("]}").toString(), nested)) {
      Constraint constraint = TestVocabulary.compile(new ConstraintSource.JsonSchema(schema));
      ConstraintState state = constraint.start();
      Random random = new Random(3);
      for (int i = 0; i < 60 && !state.isDone(); i++) {
        long start = System.nanoTime();
        List<Integer> allowed = TestVocabulary.allowed(state);
        assertThat((System.nanoTime() - start) / 1_000_000).isLessThan(2000);
        assertThat(allowed).isNotEmpty();
        state.accept(
            allowed.contains((int) '[') ? '[' : allowed.get(random.nextInt(allowed.size())));
      }
    }
  }

  @Test
  void compilingStopsWhenNobodyWaits() {
    AtomicInteger looks = new AtomicInteger();
    assertThatExceptionOfType(CancellationException.class)
        .isThrownBy(() ->
            new ConstraintCompiler(TestVocabulary.VOCABULARY, CompileLimits.defaults())
                .compile(
                    new ConstraintSource.Regex("(x|y)*x(x|y){20}"),
                    () -> looks.incrementAndGet() > 2));
  }

  @Test
  void theEmptyTextAloneIsRefused() {
    assertThatExceptionOfType(RefusalException.class)
        .isThrownBy(() -> TestVocabulary.compile(new ConstraintSource.Regex("a{0}")))
        .withMessageContaining("only the empty text");
  }
}
