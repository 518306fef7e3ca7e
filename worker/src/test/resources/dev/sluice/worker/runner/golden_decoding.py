"""Makes golden_decoding.json: log-probabilities, penalties and beam search on the golden prompts.

Independent of the serving code: SmolLM2 (Llama architecture) in NumPy, float32, weights dequantised
from the GGUF; decoding from the definitions, in float64. Beam search is Hugging Face's
BeamSearchScorer with early_stopping False or True. `margin` is the least distance of any decision
to its alternative: where it is small, another order of summation may decide otherwise.
Usage: python golden_decoding.py MODEL.gguf > golden_decoding.json  (beside golden_smollm2_135m.json)
"""

import json
import os
import sys

import numpy as np
from gguf import GGUFReader, dequantize

W = {t.name: dequantize(t.data, t.tensor_type).astype(np.float32)
     for t in GGUFReader(sys.argv[1]).tensors}
WT = {k: np.ascontiguousarray(v.T) for k, v in W.items() if v.ndim == 2}
LAYERS, HEADS, KV_HEADS, SIZE, HIDDEN, EOS = 30, 9, 3, 64, 576, 2
F = 100000.0 ** (-np.arange(SIZE // 2) / (SIZE / 2))


def rms(x, w):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + np.float32(1e-5)) * w


class State:
    """K and V of a sequence; a step makes a new state, so that beams can share one."""

    def __init__(self, k=None, v=None, n=0):
        self.k, self.v, self.n = k or [None] * LAYERS, v or [None] * LAYERS, n

    def forward(self, ids):
        """Log-probabilities behind each of these tokens, and the state behind them."""
        t = len(ids)
        x = W["token_embd.weight"][ids]
        pos = np.arange(self.n, self.n + t)
        angle = pos[:, None] * F
        cos, sin = (f(angle).astype(np.float32)[:, None, :] for f in (np.cos, np.sin))

        def rope(y):
            a, b = y[..., 0::2], y[..., 1::2]
            out = np.empty_like(y)
            out[..., 0::2], out[..., 1::2] = a * cos - b * sin, a * sin + b * cos
            return out

        total = self.n + t
        mask = np.where(np.arange(total)[None, :] <= pos[:, None], 0, -1e30).astype(np.float32)
        ks, vs = [], []
        for i in range(LAYERS):
            p = f"blk.{i}."
            h = rms(x, W[p + "attn_norm.weight"])
            q = rope((h @ WT[p + "attn_q.weight"]).reshape(t, HEADS, SIZE))
            k = rope((h @ WT[p + "attn_k.weight"]).reshape(t, KV_HEADS, SIZE))
            v = (h @ WT[p + "attn_v.weight"]).reshape(t, KV_HEADS, SIZE)
            if self.k[i] is not None:
                k, v = np.concatenate([self.k[i], k]), np.concatenate([self.v[i], v])
            ks.append(k)
            vs.append(v)
            kk, vv = (np.repeat(y, HEADS // KV_HEADS, 1) for y in (k, v))
            s = np.einsum("thd,shd->hts", q, kk) / 8 + mask
            s = np.exp(s - s.max(-1, keepdims=True))
            s /= s.sum(-1, keepdims=True)
            a = np.einsum("hts,shd->thd", s, vv).reshape(t, HIDDEN)
            x = x + a @ WT[p + "attn_output.weight"]
            h = rms(x, W[p + "ffn_norm.weight"])
            gate = h @ WT[p + "ffn_gate.weight"]
            up = h @ WT[p + "ffn_up.weight"]
            x = x + ((gate / (1 + np.exp(-gate))) * up) @ WT[p + "ffn_down.weight"]
        logits = (rms(x, W["output_norm.weight"]) @ WT["token_embd.weight"]).astype(np.float64)
        return logits, State(ks, vs, total)


def log_softmax(x):
    m = x.max(-1, keepdims=True)
    return x - m - np.log(np.exp(x - m).sum(-1, keepdims=True))


def describe(logprobs, token, top):
    order = np.argsort(-logprobs, kind="stable")[:top]
    own = logprobs[token]
    return {
        "token": int(token), "logprob": round(float(own), 6),
        "rank": 1 + int((logprobs > own).sum()),
        "near": int((np.abs(logprobs - own) < 2e-3).sum()) - 1,
        "top": [[int(t), round(float(logprobs[t]), 6)] for t in order],
    }


def scored(case, top):
    """Every token but the first, forced."""
    ids = case["prompt_token_ids"] + case["greedy_token_ids"]
    logprobs = log_softmax(State().forward(np.array(ids))[0])
    return {
        "name": case["name"], "prompt": case["prompt_token_ids"], "output": case["greedy_token_ids"],
        "scores": [describe(logprobs[i], ids[i + 1], top) for i in range(len(ids) - 1)],
    }


def penalized(case, repetition, presence, frequency, count):
    prompt, output, margin = case["prompt_token_ids"], [], np.inf
    logits, state = State().forward(np.array(prompt))
    while len(output) < count and EOS not in output:
        x = logits[-1].astype(np.float32)
        seen = list(set(prompt + output))
        x[seen] = np.where(x[seen] > 0, x[seen] / np.float32(repetition),
                           x[seen] * np.float32(repetition))
        counts = np.bincount(np.array(output, int), minlength=len(x))
        x = x - np.float32(frequency) * counts - np.float32(presence) * (counts > 0)
        two = np.argsort(-x, kind="stable")[:2]
        margin = min(margin, float(x[two[0]] - x[two[1]]))
        output.append(int(two[0]))
        logits, state = state.forward(np.array([two[0]]))
    return {"name": case["name"], "prompt": prompt, "repetition": repetition, "presence": presence,
            "frequency": frequency, "output": output, "margin": round(margin, 5)}


def beam_search(case, width, best, penalty, early, max_tokens, min_tokens):
    prompt = case["prompt_token_ids"]
    logits, state = State().forward(np.array(prompt))
    beams = [([], 0.0, log_softmax(logits[-1]), state)]
    ended, margin = [], np.inf

    def add(tokens, total):
        nonlocal margin
        score = total / len(tokens) ** penalty
        margin = min([margin] + [abs(score - s) for s, _ in ended])
        ended.append((score, tokens))
        ended.sort(key=lambda e: -e[0])
        del ended[width:]

    while True:
        length = len(beams[0][0]) + 1
        scores = np.stack([total + logprobs for _, total, logprobs, _ in beams])
        if length <= min_tokens:
            scores[:, EOS] = -np.inf
        order = np.argsort(-scores, axis=None, kind="stable")[: 2 * width + 1]
        found, last = [], None
        for rank, flat in enumerate(order):
            beam, token = divmod(int(flat), scores.shape[1])
            total = float(scores[beam, token])
            if last is not None and rank <= 2 * width:
                margin = min(margin, last - total)
            last = total
            if len(found) == width:
                break
            if token != EOS:
                found.append((beam, token, total))
            elif rank < width:
                add(beams[beam][0] + [token], total)
        attainable = float(scores.max()) / length**penalty
        if len(ended) == width:
            if early or ended[-1][0] >= attainable:
                break
            margin = min(margin, attainable - ended[-1][0])
        if length == max_tokens:
            for beam, token, total in found:
                add(beams[beam][0] + [token], total)
            break
        next_beams = []
        for beam, token, total in found:
            logits, state = beams[beam][3].forward(np.array([token]))
            next_beams.append((beams[beam][0] + [token], total, log_softmax(logits[-1]), state))
        beams = next_beams
    return {
        "name": case["name"], "prompt": prompt, "width": width, "best": best, "length_penalty": penalty,
        "early_stopping": early, "max_tokens": max_tokens, "min_tokens": min_tokens,
        "beams": [{"output": t, "score": round(s, 6)} for s, t in ended[:best]],
        "margin": round(margin, 6),
    }


def main():
    folder = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(folder, "golden_smollm2_135m.json"), encoding="utf-8") as f:
        cases = json.load(f)["greedy"]
    lines = {"scored": [], "penalized": [], "beams": []}
    for i, case in enumerate(cases):
        lines["scored"].append(scored(case, 5))
        lines["penalized"].append(penalized(case, 1.3, 0.0, 0.0, 20))
        lines["penalized"].append(penalized(case, 1.1, 0.6, 0.4, 20))
        lines["beams"].append(beam_search(case, 4, 2, 1.0, False, 16, 0))
        lines["beams"].append(
            beam_search(case, 2 + i % 3, 1, [0.0, 2.0, 0.6][i % 3], i % 2 == 0, 12, i % 4))
        print(case["name"], [b["margin"] for b in lines["beams"][-2:]], file=sys.stderr)
    print("{")
    print(",\n".join(
        f'"{k}":[\n' + ",\n".join(json.dumps(c, separators=(",", ":")) for c in v) + "]"
        for k, v in lines.items()))
    print("}")


if __name__ == "__main__":
    main()
