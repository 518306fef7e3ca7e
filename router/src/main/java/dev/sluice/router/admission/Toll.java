package dev.sluice.router.admission;

/** Is told what a request costs, as it shows. Threading: the driver of the call. */
public interface Toll {
  /** For what costs nothing. */
  Toll FREE =
      new Toll() {
        @Override
        public void prefilled(int cachedTokens) {}

        @Override
        public void produced(int tokens) {}
      };

  /**
   * The first token came.
   *
   * @param cachedTokens of the prompt, that were not computed
   */
  void prefilled(int cachedTokens);

  /** Output tokens came; called per message. */
  void produced(int tokens);
}
