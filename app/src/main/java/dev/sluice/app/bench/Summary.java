package dev.sluice.app.bench;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * The field's figures of a measurement. Times in milliseconds; only completed requests count for
 * them.
 *
 * @param seconds from the start to the last answer's end
 * @param goodRequests completed requests that kept every objective
 * @param failures how many failed, by status and reason
 * @param peakOutput most output tokens in one second of the measurement
 * @param times TTFT, TPOT, ITL and E2EL, by those names in lower case
 */
record Summary(
    double seconds,
    int completed,
    int failed,
    int goodRequests,
    long inputTokens,
    long cachedTokens,
    long outputTokens,
    long peakOutput,
    Map<String, Integer> failures,
    Map<String, Distribution> times) {
  static Summary of(List<Outcome> outcomes, List<Slo> slos, double seconds, long peakOutput) {
    List<Outcome> completed = outcomes.stream().filter(Outcome::completed).toList();
    Map<String, Distribution> times = new LinkedHashMap<>();
    times.put("ttft", millis(completed.stream().mapToDouble(Outcome::ttft).toArray()));
    times.put(
        "tpot",
        millis(
            completed.stream()
                .filter(o -> o.outputTokens() > 1)
                .mapToDouble(Outcome::tpot)
                .toArray()));
    times.put(
        "itl",
        millis(
            completed.stream().flatMap(o -> o.gaps().stream()).mapToDouble(gap -> gap).toArray()));
    times.put("e2el", millis(completed.stream().mapToDouble(Outcome::e2e).toArray()));
    return new Summary(
        seconds,
        completed.size(),
        outcomes.size() - completed.size(),
        (int) completed.stream().filter(o -> slos.stream().allMatch(s -> s.kept(o))).count(),
        completed.stream().mapToLong(Outcome::promptTokens).sum(),
        completed.stream().mapToLong(Outcome::cachedTokens).sum(),
        completed.stream().mapToLong(Outcome::outputTokens).sum(),
        peakOutput,
        outcomes.stream()
            .filter(o -> !o.completed())
            .collect(
                Collectors.toMap(
                    Outcome::failure, _ -> 1, Integer::sum, TreeMap<String, Integer>::new)),
        times);
  }

  private static Distribution millis(double[] nanos) {
    return new Distribution(Arrays.stream(nanos).map(n -> n / 1e6).toArray());
  }
}
