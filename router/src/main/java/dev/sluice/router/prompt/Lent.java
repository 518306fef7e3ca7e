package dev.sluice.router.prompt;

import dev.sluice.common.prompt.PromptEncoder;
import dev.sluice.common.template.TemplateException;
import dev.sluice.common.tokenizer.TextEncoder;
import dev.sluice.common.tokenizer.Tokenizer;
import dev.sluice.common.tokenizer.TokenizerBundle;

/**
 * A tokenizer and template that a worker lent.
 *
 * <p>Threading: used by all calls at once. Calls that are inside when it is closed end normally,
 * later ones fail with {@link IllegalStateException}.
 */
record Lent(Tokenizer tokenizer, PromptEncoder template, TextEncoder text)
    implements AutoCloseable {
  /**
   * @throws dev.sluice.common.tokenizer.TokenizerException if it cannot be used
   * @throws TemplateException if the template is not one
   */
  static Lent load(TokenizerBundle bundle) {
    Tokenizer tokenizer = Tokenizer.load(bundle);
    try {
      return new Lent(tokenizer, new PromptEncoder(bundle, tokenizer), new TextEncoder(tokenizer));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  String fingerprint() {
    return tokenizer.fingerprint();
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
