"""Makes sampling_cases.json: what every sampling parameter does, alone and combined.

An independent implementation in NumPy, written from the definitions: everything is sorted, nothing
is skipped. Logits are float32, probabilities float64. Cases in which a border falls within 1e-6 of a
sum or of a random number are thrown away, since any order of summation is right.
Usage: python sampling_reference.py > sampling_cases.json
"""

import json

import numpy as np

VOCABULARY = 300
ROWS = 4
POSITIONS = 12
MARGIN = 1e-6
MASK = (1 << 64) - 1
rng = np.random.default_rng(20250607)


def mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def uniform(seed, choice, position):
    """SplitMix64, entered at any position."""
    start = mix((mix(seed) + (choice + 1) * 0xD1342543DE82EF95) & MASK)
    bits = mix((start + (position + 1) * 0x9E3779B97F4A7C15) & MASK)
    return (bits >> 11) * 2.0**-53


class Border(Exception):
    """Two right answers."""


def processed(row, p, prompt, output):
    """The logits after bias, allowed and banned tokens, and penalties; as vLLM's processors."""
    logits = row.copy()
    for token, bias in p["logit_bias"]:
        logits[token] += np.float32(bias)
    if p["allowed"]:
        others = np.ones(VOCABULARY, bool)
        others[p["allowed"]] = False
        logits[others] = -np.inf
    logits[p["banned"]] = -np.inf
    repetition = np.float32(p["repetition_penalty"])
    seen = np.zeros(VOCABULARY, bool)
    seen[list(prompt) + list(output)] = True
    logits = np.where(seen, np.where(logits > 0, logits / repetition, logits * repetition), logits)
    counts = np.bincount(np.array(output, int), minlength=VOCABULARY).astype(np.float32)
    logits = logits - np.float32(p["frequency_penalty"]) * counts
    logits = logits - np.float32(p["presence_penalty"]) * (counts > 0).astype(np.float32)
    return logits.astype(np.float32)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def fewest(order, probabilities, mass):
    """The first of an order whose probabilities reach a mass."""
    sums = np.cumsum(probabilities[order])
    if np.abs(sums - mass).min() < MARGIN:
        raise Border
    return order[: int((sums < mass).sum()) + 1]


def distribution(logits, p):
    """Probabilities of all tokens after temperature, top-k, top-p, min-p, typical-p."""
    x = logits.astype(np.float64) / float(np.float32(p["temperature"]))
    ids = np.arange(VOCABULARY)
    keep = ids[np.isfinite(x)]
    keep = keep[np.lexsort((keep, -x[keep]))]  # most likely first, ties to the lowest id
    if p["top_k"] > 0:
        keep = keep[: p["top_k"]]
    if p["top_p"] < 1:
        probabilities = np.zeros(VOCABULARY)
        probabilities[keep] = softmax(x[keep])
        keep = fewest(keep, probabilities, float(np.float32(p["top_p"])))
    if p["min_p"] > 0:
        ratio = np.exp(x[keep] - x[keep].max())
        if np.abs(ratio - np.float32(p["min_p"])).min() < MARGIN:
            raise Border
        keep = keep[ratio >= np.float32(p["min_p"])]
    if p["typical_p"] < 1:
        probabilities = np.zeros(VOCABULARY)
        probabilities[keep] = softmax(x[keep])
        information = -np.log(probabilities[keep])
        entropy = (probabilities[keep] * information).sum()
        distance = np.round(np.abs(information - entropy), 12)
        order = np.lexsort((keep, distance))
        ordered = keep[order]
        chosen = fewest(ordered, probabilities, float(np.float32(p["typical_p"])))
        if len(chosen) < len(ordered):
            gap = distance[order][len(chosen)] - distance[order][len(chosen) - 1]
            if 0 < gap < 10 * MARGIN:
                raise Border
        keep = chosen
    result = np.zeros(VOCABULARY)
    result[keep] = softmax(x[keep])
    return result


def draw(probabilities, u):
    sums = np.cumsum(probabilities)
    if np.abs(sums - u).min() < MARGIN:
        raise Border
    return int((sums <= u).sum())


def logprob(row, token, top):
    x = row.astype(np.float64)
    logs = x - x.max() - np.log(np.exp(x - x.max()).sum())
    order = np.lexsort((np.arange(VOCABULARY), -x))
    return {
        "token": token,
        "logprob": float(logs[token]),
        "rank": int(np.where(order == token)[0][0]) + 1,
        "top": [[int(t), float(logs[t])] for t in order[:top]],
    }


OFF = {
    "temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0,
    "repetition_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0.0,
    "logit_bias": [], "allowed": [], "banned": [],
}


def tokens(most):
    return sorted(int(t) for t in rng.choice(VOCABULARY, int(rng.integers(1, most)), replace=False))


def number(low, high):
    return round(float(rng.uniform(low, high)), 3)


VALUES = {
    "temperature": lambda: number(0.1, 2),
    "top_k": lambda: int(rng.integers(1, 60)),
    "top_p": lambda: number(0.05, 0.99),
    "min_p": lambda: number(0.01, 0.5),
    "typical_p": lambda: number(0.05, 0.95),
    "repetition_penalty": lambda: number(0.3, 2),
    "presence_penalty": lambda: number(-2, 2),
    "frequency_penalty": lambda: number(-2, 2),
    "logit_bias": lambda: [[t, number(-20, 12)] for t in tokens(12)],
    "allowed": lambda: tokens(100),
    "banned": lambda: tokens(200),
}


def case(name, rows, fields):
    while True:
        p = dict(OFF)
        for field in fields:
            p[field] = VALUES[field]()
        if name == "greedy":
            p["temperature"] = 0.0
        index = int(rng.integers(ROWS))
        likely = np.argsort(-rows[index])[:40]
        prompt = [int(t) for t in rng.choice(likely, 8)] + tokens(12)
        output = [int(t) for t in rng.choice(likely, int(rng.integers(0, 30)))]
        seed, choice = int(rng.integers(1 << 63)), int(rng.integers(16))
        logits = processed(rows[index], p, prompt, output)
        if not np.isfinite(logits).any():
            continue
        try:
            if p["temperature"] == 0:
                probabilities = np.zeros(VOCABULARY)
                probabilities[int(np.argmax(logits))] = 1.0
            else:
                probabilities = distribution(logits, p)
            drawn = [
                draw(probabilities, uniform(seed, choice, i)) if p["temperature"] > 0
                else int(np.argmax(logits))
                for i in range(POSITIONS)
            ]
        except Border:
            continue
        return {
            "name": name, "row": index, "params": p, "prompt": prompt, "output": output,
            "seed": seed, "choice": choice,
            "distribution": [
                [int(t), float(f"{probabilities[t]:.9g}")] for t in np.flatnonzero(probabilities)
            ],
            "drawn": drawn,
            "logprob": logprob(rows[index], drawn[0], int(rng.integers(0, 21))),
        }


def main():
    # multiples of 2^-10, so that the text has all bits; the last row has many ties
    rows = [np.round(rng.normal(0, 3, VOCABULARY) * 1024) / 1024 for _ in range(ROWS - 1)]
    rows.append(np.round(rng.normal(0, 3, VOCABULARY) * 2) / 2)
    rows = [row.astype(np.float32) for row in rows]
    cases = []
    for field in VALUES:
        for i in range(4):
            cases.append(case(f"{field} {i}", rows, [field]))
    for fields in (["repetition_penalty", "presence_penalty", "frequency_penalty"],
                   ["top_k", "top_p"], ["top_k", "min_p"], ["top_p", "min_p"],
                   ["top_k", "typical_p"], ["top_p", "typical_p"], ["min_p", "typical_p"],
                   ["allowed", "banned"], ["logit_bias", "banned"], ["logit_bias", "allowed"]):
        for i in range(2):
            cases.append(case(" + ".join(fields) + f" {i}", rows, fields))
    names = list(VALUES)
    for i in range(40):
        fields = [names[j] for j in rng.choice(len(names), int(rng.integers(3, 12)), replace=False)]
        cases.append(case(f"combined {i}", rows, fields))
    cases.append(case("all", rows, names))
    cases.append(case("greedy", rows, ["repetition_penalty", "presence_penalty", "banned"]))
    print('{"rows":[')
    print(",\n".join(json.dumps([float(x) for x in row]) for row in rows))
    print('],"cases":[')
    print(",\n".join(json.dumps(c, separators=(",", ":")) for c in cases))
    print("]}")


if __name__ == "__main__":
    main()
