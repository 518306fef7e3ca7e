package dev.sluice.common.tokenizer;

import dev.sluice.common.digest.Digests;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/**
 * Everything that turns text into a model's tokens and back; small enough to send.
 *
 * @param tokenizerJson {@code tokenizer.json} in the Hugging Face format
 * @param chatTemplate source of the chat template, in Jinja; empty if there is none
 * @param bosToken text of the beginning-of-sequence token; empty if there is none
 * @param eosToken text of the end-of-sequence token; empty if there is none
 * @param eosTokenIds tokens that end a sequence
 * @param addBos whether a beginning-of-sequence token is put before text prompts
 */
public record TokenizerBundle(
    String tokenizerJson,
    String chatTemplate,
    String bosToken,
    String eosToken,
    List<Integer> eosTokenIds,
    boolean addBos) {
  public TokenizerBundle {
    eosTokenIds = List.copyOf(eosTokenIds);
  }

  /** Equal for equal bundles: 32 hexadecimal digits of a SHA-256 over all parts. */
  public String fingerprint() {
    MessageDigest digest = Digests.sha256();
    for (String part :
        new String[] {
          tokenizerJson, chatTemplate, bosToken, eosToken, eosTokenIds.toString(), "" + addBos
        }) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      digest.update((bytes.length + ":").getBytes(StandardCharsets.UTF_8));
      digest.update(bytes);
    }
    return HexFormat.of().formatHex(digest.digest(), 0, 16);
  }
}
