package dev.sluice.worker.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** However the text is cut into parts, the output is the one of the whole text. */
final class StopMatcherProperties {
  @Property(tries = 20_000)
  void partsGiveWhatTheWholeTextGives(
      @ForAll("parts") List<String> parts,
      @ForAll("stops") List<String> stops,
      @ForAll boolean include) {
    StopMatcher matcher = new StopMatcher(stops, include);
    StringBuilder output = new StringBuilder();
    for (String part : parts) {
      output.append(matcher.append(part));
      assertThat(String.join("", parts)).startsWith(output);
    }
    output.append(matcher.flush());

    String text = String.join("", parts);
    int bestEnd = Integer.MAX_VALUE;
    String best = "";
    for (String stop : stops) {
      int at = text.indexOf(stop);
      int end = at + stop.length();
      if (at >= 0 && (end < bestEnd || (end == bestEnd && stop.length() > best.length()))) {
        bestEnd = end;
        best = stop;
      }
    }
    if (best.isEmpty()) {
      assertThat(matcher.matched()).isEmpty();
      assertThat(output.toString()).isEqualTo(text);
    } else {
      assertThat(matcher.matched()).isEqualTo(Optional.of(best));
      assertThat(output.toString())
          .isEqualTo(text.substring(0, include ? bestEnd : bestEnd - best.length()));
    }
  }

  @Example
  void holdsBackOnlyWhatMayBeginAStopString() {
    StopMatcher matcher = new StopMatcher(List.of("clock", "\n"), false);
    assertThat(matcher.append("It is 5 o'cl")).isEqualTo("It is 5 o'");
    assertThat(matcher.append("ouds")).isEqualTo("clouds");
    assertThat(matcher.append(" c")).isEqualTo(" ");
    assertThat(matcher.append("lock strikes")).isEmpty();
    assertThat(matcher.matched()).contains("clock");
    assertThat(matcher.append("more")).isEmpty();
    assertThat(matcher.flush()).isEmpty();
  }

  @Provide
  Arbitrary<List<String>> parts() {
    return Arbitraries.strings().withChars("ab\n").ofMaxLength(5).list().ofMaxSize(12);
  }

  @Provide
  Arbitrary<List<String>> stops() {
    return Arbitraries.strings()
        .withChars("ab\n")
        .ofMinLength(1)
        .ofMaxLength(4)
        .list()
        .ofMaxSize(4);
  }
}
