package dev.sluice.router.testing;

import dev.sluice.common.tokenizer.TokenizerBundle;
import java.util.List;

/** A tokenizer of a hundred words, {@code w0} to {@code w99}, and two special tokens. */
public final class TinyTokenizer {
  public static final int START = 100;
  public static final int END = 101;

  private static final String TEMPLATE =
      "{% for m in messages %}<start>{{ m.role }} {{ m.content }}<end>{% endfor %}"
          + "{% if add_generation_prompt %}<start>{% endif %}";

  private TinyTokenizer() {}

  public static TokenizerBundle bundle() {
    StringBuilder vocabulary = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      vocabulary.append("\"w%d\":%d,".formatted(i, i));
    }
    vocabulary.append("\"<start>\":100,\"<end>\":101,\"user\":102,\"assistant\":103,\"?\":104");
    String json =
        """
        {"version":"1.0","truncation":null,"padding":null,
         "added_tokens":[%s,%s],
         "normalizer":null,"pre_tokenizer":{"type":"Whitespace"},
         "post_processor":null,"decoder":null,
         "model":{"type":"WordLevel","vocab":{%s},"unk_token":"?"}}
        """
            .formatted(special(START, "<start>"), special(END, "<end>"), vocabulary);
    return new TokenizerBundle(json, TEMPLATE, "", "<end>", List.of(END), false);
  }

  private static String special(int id, String text) {
    return """
    {"id":%d,"content":"%s","single_word":false,"lstrip":false,"rstrip":false,
     "normalized":false,"special":true}\
    """
        .formatted(id, text);
  }
}
