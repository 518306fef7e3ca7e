"""Writes sentencepiece_tokens.json: a small SentencePiece vocabulary and what llama.cpp makes of it.

The vocabulary is trained by the Python package `sentencepiece` on the texts of pre_tokenizers.json
and put into a GGUF file without weights; llama.cpp (`llama_cpp`) tokenizes the texts with it, and
SentencePiece itself must agree wherever no special token is written out.
Usage: sentencepiece_tokens.py pre_tokenizers.json > sentencepiece_tokens.json
"""

import io
import json
import os
import random
import sys
import tempfile

import gguf
import sentencepiece
from llama_cpp import Llama

SPECIAL = ["[INST]", "<|user|>"]
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6

EXTRA = [
    "",
    " ",
    "a",
    " a",
    "       seven spaces",
    "tabs\tand\n\nline ends\r\n",
    "ends with spaces   ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "e e e e e eeee ee e ee",
    "3.14159 and 2,718,281",
    "caf\u00e9 na\u00efve \u65e5\u672c\u8a9e \U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\u2581already\u2581escaped\u2581\u2581",
    "[INST] an instruction [/INST]",
    "<|user|>nothing between<|user|> and a space",
    "<s>written out</s> <unk> text",
    "no <0x0A> byte",
]


def train(texts):
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for text in texts for line in text.split("\n") if line),
        model_writer=model,
        model_type="bpe",
        vocab_size=900,
        byte_fallback=True,
        split_digits=True,
        allow_whitespace_only_pieces=True,
        remove_extra_whitespaces=False,
        normalization_rule_name="identity",
        character_coverage=0.995,
        user_defined_symbols=SPECIAL,
        minloglevel=2,
    )
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def kind(model, i):
    if model.is_unknown(i):
        return UNKNOWN
    if model.is_control(i):
        return CONTROL
    if model.is_byte(i):
        return BYTE
    return USER_DEFINED if model.id_to_piece(i) in SPECIAL else NORMAL


def write_gguf(path, tokens, scores, types, prefix):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(1)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(32)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(types)
    writer.add_add_space_prefix(prefix)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()


def main():
    texts = [case["text"] for case in json.load(open(sys.argv[1], encoding="utf-8"))]
    model = train(texts)
    size = model.get_piece_size()
    tokens = [model.id_to_piece(i) for i in range(size)]
    scores = [model.get_score(i) for i in range(size)]
    types = [kind(model, i) for i in range(size)]

    generator = random.Random(1)
    pieces = [t.replace("\u2581", " ") for t, k in zip(tokens, types) if k in (NORMAL, USER_DEFINED)]
    cases = EXTRA + [text[:600] for text in texts]
    cases += ["".join(generator.choices(pieces, k=12)) for _ in range(60)]

    results = {"tokens": tokens, "scores": scores, "types": types, "cases": []}
    with tempfile.TemporaryDirectory() as folder:
        ids = {}
        for prefix in (True, False):
            path = os.path.join(folder, f"{prefix}.gguf")
            write_gguf(path, tokens, scores, types, prefix)
            llama = Llama(path, vocab_only=True, verbose=False)
            ids[prefix] = [llama.tokenize(t.encode(), add_bos=False, special=True) for t in cases]
    for text, with_prefix, without in zip(cases, ids[True], ids[False]):
        if text and not any(s in text for s in SPECIAL + ["<s>", "</s>", "<unk>"]):
            assert model.encode(text) == with_prefix, text
        results["cases"].append({"text": text, "prefixed": with_prefix, "plain": without})
    print(json.dumps(results, separators=(",", ":")))


if __name__ == "__main__":
    main()
