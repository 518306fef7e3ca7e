package dev.sluice.worker.bench;

import java.util.Locale;

/** Prompts whose continuations repeat much, or little, of them. */
enum SpeculationText {
  STORY(
      """
      The old lighthouse keeper had not spoken to anyone for eleven days when the boat came. It was\
       a small boat, painted green, and it carried\
      """),
  ESSAY(
      """
      There are three reasons why cities should plant more trees along their streets. The first\
       reason is that\
      """),
  CODE_EDIT(
      """
      Original file:

      class Account {
        private long balance;
        private String owner;

        Account(String owner) {
          this.owner = owner;
          this.balance = 0;
        }

        void deposit(long amount) {
          if (amount <= 0) {
            throw new IllegalArgumentException("amount must be positive");
          }
          balance = balance + amount;
        }

        void withdraw(long amount) {
          if (amount <= 0) {
            throw new IllegalArgumentException("amount must be positive");
          }
          if (amount > balance) {
            throw new IllegalStateException("not enough money");
          }
          balance = balance - amount;
        }

        long getBalance() {
          return balance;
        }
      }

      The same file with the class renamed to Wallet:

      class Wallet {
        private long balance;
        private String owner;

        Wallet(\
      """),
  EXTRACTION(
      """
      Invoice log:
      2024-03-01 invoice 1001 customer Miller Bakery amount 120.50 EUR status paid
      2024-03-02 invoice 1002 customer Harbour Books amount 89.99 EUR status open
      2024-03-04 invoice 1003 customer Green Garden amount 430.00 EUR status paid
      2024-03-05 invoice 1004 customer Miller Bakery amount 75.20 EUR status open
      2024-03-08 invoice 1005 customer City Cycles amount 1299.00 EUR status paid
      2024-03-09 invoice 1006 customer Harbour Books amount 15.75 EUR status paid

      The lines of the log, copied one by one:
      2024-03-01 invoice 1001 customer Miller Bakery amount 120.50 EUR status paid
      2024-03-02 invoice 1002 customer\
      """);

  private final String prompt;

  SpeculationText(String prompt) {
    this.prompt = prompt;
  }

  String prompt() {
    return prompt;
  }

  String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
