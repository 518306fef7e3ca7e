package dev.sluice.worker.simulation;

import dev.sluice.common.tokenizer.TokenizerBundle;
import java.util.List;

/** A tokenizer without merges: token n is byte n, token 256 ends a sequence. */
public final class ByteTokenizer {
  /** Ends a sequence. */
  public static final int EOS = 256;

  /** Number of its tokens. */
  public static final int SIZE = 257;

  private ByteTokenizer() {}

  /** What {@link dev.sluice.common.tokenizer.Tokenizer} loads; its chat template names roles. */
  public static TokenizerBundle bundle() {
    StringBuilder vocabulary = new StringBuilder();
    int shifted = 256;
    for (int b = 0; b < 256; b++) {
      // The alphabet of GPT-2: printable bytes stand for themselves, others are moved up.
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      int c = printable ? b : shifted++;
      String text = c == '"' || c == '\\' ? "\\" + (char) c : Character.toString(c);
      vocabulary.append('"').append(text).append("\":").append(b).append(',');
    }
    String json =
        """
        {"version":"1.0","added_tokens":[{"id":256,"content":"</s>","single_word":false,
        "lstrip":false,"rstrip":false,"normalized":false,"special":true}],
        "pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,
        "use_regex":false},"decoder":{"type":"ByteLevel","add_prefix_space":true,
        "trim_offsets":true,"use_regex":true},
        "model":{"type":"BPE","vocab":{%s"</s>":256},"merges":[]}}
        """
            .formatted(vocabulary);
    String template =
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}\n{% endfor %}"
            + "{% if add_generation_prompt %}[assistant]{% endif %}";
    return new TokenizerBundle(json, template, "", "</s>", List.of(EOS), false);
  }
}
