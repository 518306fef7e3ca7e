package dev.sluice.router.admission;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TenantOptionsTest {
  @Test
  void aStarStandsForThoseThatAreNotNamed() {
    TenantOptions.Rates rates =
        new TenantOptions(List.of("gold=4"), List.of("gold=600", "*=60"), List.of("a=b=1_000"))
            .rates();
    assertThat(rates.weight("gold")).isEqualTo(4);
    assertThat(rates.weight("other")).isEqualTo(1);
    assertThat(rates.requestsPerMinute("gold")).hasValue(600);
    assertThat(rates.requestsPerMinute("other")).hasValue(60);
    assertThat(rates.tokensPerMinute("a=b")).hasValue(1_000);
    assertThat(rates.tokensPerMinute("gold")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"gold", "=4", "gold=", "gold=0", "gold=-1", "gold=many", "gold=Infinity"})
  void refusesWhatIsNoNumber(String item) {
    assertThatThrownBy(() -> new TenantOptions(List.of(item), List.of(), List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("weights: " + item + " (expected: tenant=number, the number above 0)");
  }

  @Test
  void refusesATenantTwice() {
    assertThatThrownBy(() -> new TenantOptions(List.of(), List.of("a=1", "a=2"), List.of()))
        .hasMessage("requests-per-minute: a=2 (expected: each tenant once)");
  }
}
