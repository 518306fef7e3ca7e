package dev.sluice.router.admission;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * What tenants get. Every list has items {@code tenant=number}; the tenant {@code *} stands for
 * each one that is not named in the list. Limits are those of the whole fleet: a router enforces
 * its part, as one of those that the workers report.
 *
 * @param weights shares of the workers, above 0; 1 for those that are not named
 * @param requestsPerMinute requests that are let in; no limit for those that are not named
 * @param tokensPerMinute prompt and output tokens; no limit for those that are not named
 */
public record TenantOptions(
    List<String> weights, List<String> requestsPerMinute, List<String> tokensPerMinute) {
  /** Equal shares, no limits. */
  public static final TenantOptions DEFAULTS = new TenantOptions(List.of(), List.of(), List.of());

  private static final String ANY = "*";

  public TenantOptions {
    weights = List.copyOf(weights);
    requestsPerMinute = List.copyOf(requestsPerMinute);
    tokensPerMinute = List.copyOf(tokensPerMinute);
    read("weights", weights);
    read("requests-per-minute", requestsPerMinute);
    read("tokens-per-minute", tokensPerMinute);
  }

  /** The lists, to be looked up. */
  Rates rates() {
    return new Rates(
        read("weights", weights),
        read("requests-per-minute", requestsPerMinute),
        read("tokens-per-minute", tokensPerMinute));
  }

  private static Map<String, Double> read(String key, List<String> items) {
    Map<String, Double> numbers = new HashMap<>();
    for (String item : items) {
      int equals = item.lastIndexOf('=');
      double number = equals < 1 ? Double.NaN : number(item.substring(equals + 1));
      if (!(number > 0) || Double.isInfinite(number)) {
        throw new IllegalArgumentException(
            key + ": " + item + " (expected: tenant=number, the number above 0)");
      }
      if (numbers.put(item.substring(0, equals), number) != null) {
        throw new IllegalArgumentException(key + ": " + item + " (expected: each tenant once)");
      }
    }
    return numbers;
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text.replace("_", ""));
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  /**
   * By tenant.
   *
   * @param weights shares
   * @param requests per minute
   * @param tokens per minute
   */
  record Rates(
      Map<String, Double> weights, Map<String, Double> requests, Map<String, Double> tokens) {
    double weight(String tenant) {
      return of(weights, tenant).orElse(1);
    }

    OptionalDouble requestsPerMinute(String tenant) {
      return of(requests, tenant);
    }

    OptionalDouble tokensPerMinute(String tenant) {
      return of(tokens, tenant);
    }

    private static OptionalDouble of(Map<String, Double> numbers, String tenant) {
      Double number = numbers.getOrDefault(tenant, numbers.get(ANY));
      return number == null ? OptionalDouble.empty() : OptionalDouble.of(number);
    }
  }
}
