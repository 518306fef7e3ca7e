"""Writes families.json: logits of tiny models of every family, with NumPy in double precision.

The weights follow from their names by whole-number arithmetic (`weights` below), so that the test
makes the same ones; they are exact in bfloat16 and in half precision. What a model computes is
written here from its paper and its `config.json`, without a look at the code under test.
Usage: families.py > families.json
"""

import json
import math

import numpy as np

TOKENS = [(7 * i * i + 31 * i + 5) % 300 for i in range(40)]
POSITIONS = [0, 9, 21, 39]
MASK = (1 << 64) - 1

BASE = {
    "hidden_size": 128,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 256,
    "vocab_size": 300,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "eos_token_id": 1,
}

CASES = {
    "llama-tied": {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "hidden_size": 64,
        "head_dim": 32,
    },
    "llama-untied": {"model_type": "llama", "tie_word_embeddings": False, "rope_theta": 500.0},
    "llama-llama3": {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "llama-linear": {
        "model_type": "llama",
        "tie_word_embeddings": True,
        "rope_scaling": {"type": "linear", "factor": 4.0},
    },
    "llama-yarn": {
        "model_type": "llama",
        "tie_word_embeddings": False,
        "rope_scaling": {
            "rope_type": "yarn",
            "factor": 8.0,
            "original_max_position_embeddings": 32,
        },
    },
    "mistral": {"model_type": "mistral", "tie_word_embeddings": False, "sliding_window": 11},
    "qwen2": {
        "model_type": "qwen2",
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "sliding_window": 8,
        "max_window_layers": 2,
    },
    "qwen2-yarn": {
        "model_type": "qwen2",
        "tie_word_embeddings": False,
        "rms_norm_eps": 1e-6,
        "rope_scaling": {
            "type": "yarn",
            "factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "qwen3": {
        "model_type": "qwen3",
        "tie_word_embeddings": True,
        "hidden_size": 64,
        "head_dim": 32,
        "rms_norm_eps": 1e-6,
        "rope_parameters": {"rope_theta": 1000000.0, "rope_type": "default"},
    },
}


def mix(state):
    """The finalizer of SplitMix64."""
    state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    state = (state ^ (state >> 27)) * 0x94D049BB133111EB & MASK
    return state ^ (state >> 31)


def weights(name, *shape):
    """Of each element 8 bits of a hash of the name's and of its own number, row-major."""
    seed = 0
    for character in name:
        seed = mix(seed + ord(character) + 1)
    count = math.prod(shape)
    k = np.array([mix((seed + i * 0x9E3779B97F4A7C15) & MASK) >> 56 for i in range(count)])
    if name.endswith("norm.weight"):
        values = 0.5 + (k >> 1) / 128  # 0.5 to 1.5
    elif name.endswith(".bias") or "embed_tokens" in name:
        values = (k - 128) / 128  # -1 to 1
    else:
        values = (k - 128) / 512  # -0.25 to 0.25
    return values.reshape(shape).astype(np.float64)


def rms_norm(x, weight, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight


def rotary(config, size):
    """Frequencies, and what cosines and sines are multiplied by."""
    parameters = config.get("rope_parameters") or config.get("rope_scaling") or {}
    theta = parameters.get("rope_theta", config["rope_theta"])
    kind = parameters.get("rope_type", parameters.get("type", "default"))
    plain = theta ** (-np.arange(0, size, 2) / size)
    if kind == "default":
        return plain, 1.0
    factor = parameters["factor"]
    if kind == "linear":
        return plain / factor, 1.0
    original = parameters["original_max_position_embeddings"]
    if kind == "llama3":
        wavelength = 2 * np.pi / plain
        low, high = parameters["low_freq_factor"], parameters["high_freq_factor"]
        smooth = np.clip((original / wavelength - low) / (high - low), 0, 1)
        return (1 - smooth) * plain / factor + smooth * plain, 1.0
    assert kind == "yarn"

    def index(rotations):
        return size * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(theta))

    low = max(math.floor(index(32)), 0)
    high = min(math.ceil(index(1)), size - 1)
    ramp = np.clip((np.arange(size // 2) - low) / max(high - low, 0.001), 0, 1)
    return plain / factor * ramp + plain * (1 - ramp), 0.1 * math.log(factor) + 1


def rotate(x, cosine, sine):
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cosine - b * sine, b * cosine + a * sine], -1)


def forward(config):
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    kv_heads = config["num_key_value_heads"]
    size = config.get("head_dim", hidden // heads)
    inner, epsilon = config["intermediate_size"], config["rms_norm_eps"]
    kind, length = config["model_type"], len(TOKENS)
    frequencies, amplitude = rotary(config, size)
    angles = np.outer(np.arange(length), frequencies)[:, None, :]
    cosine, sine = np.cos(angles) * amplitude, np.sin(angles) * amplitude
    age = np.arange(length)[:, None] - np.arange(length)[None, :]
    seen = age >= 0
    if kind == "mistral":
        seen &= age < config["sliding_window"]

    embedding = weights("model.embed_tokens.weight", config["vocab_size"], hidden)
    x = embedding[TOKENS]
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."

        def linear(name, y, rows):
            result = y @ weights(prefix + name + ".weight", rows, y.shape[-1]).T
            if kind == "qwen2" and name[-6:] in ("q_proj", "k_proj", "v_proj"):
                result += weights(prefix + name + ".bias", rows)
            return result

        y = rms_norm(x, weights(prefix + "input_layernorm.weight", hidden), epsilon)
        q = linear("self_attn.q_proj", y, heads * size).reshape(length, heads, size)
        k = linear("self_attn.k_proj", y, kv_heads * size).reshape(length, kv_heads, size)
        v = linear("self_attn.v_proj", y, kv_heads * size).reshape(length, kv_heads, size)
        if kind == "qwen3":
            q = rms_norm(q, weights(prefix + "self_attn.q_norm.weight", size), epsilon)
            k = rms_norm(k, weights(prefix + "self_attn.k_norm.weight", size), epsilon)
        q, k = rotate(q, cosine, sine), rotate(k, cosine, sine)
        k, v = np.repeat(k, heads // kv_heads, 1), np.repeat(v, heads // kv_heads, 1)
        scores = np.einsum("qhd,khd->hqk", q, k) / math.sqrt(size)
        scores = np.where(seen, scores, -np.inf)
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        scores /= scores.sum(-1, keepdims=True)
        y = np.einsum("hqk,khd->qhd", scores, v).reshape(length, heads * size)
        x = x + linear("self_attn.o_proj", y, hidden)
        y = rms_norm(x, weights(prefix + "post_attention_layernorm.weight", hidden), epsilon)
        gate, up = linear("mlp.gate_proj", y, inner), linear("mlp.up_proj", y, inner)
        x = x + linear("mlp.down_proj", gate / (1 + np.exp(-gate)) * up, hidden)
    y = rms_norm(x, weights("model.norm.weight", hidden), epsilon)
    tied = config["tie_word_embeddings"]
    head = embedding if tied else weights("lm_head.weight", config["vocab_size"], hidden)
    return (y @ head.T)[POSITIONS]


def divisors(config):
    """What a GGUF file holds instead of Llama 3's parameters: each frequency over the stretched."""
    if (config.get("rope_scaling") or {}).get("rope_type") != "llama3":
        return []
    size = config["hidden_size"] // config["num_attention_heads"]
    stretched, _ = rotary(config, size)
    plain = config["rope_theta"] ** (-np.arange(0, size, 2) / size)
    return (plain / stretched).tolist()


def main():
    cases = []
    for name, own in CASES.items():
        config = BASE | own
        case = {
            "name": name,
            "config": config,
            "divisors": divisors(config),
            "tokens": TOKENS,
            "positions": POSITIONS,
            "logits": np.round(forward(config), 6).tolist(),
        }
        cases.append(json.dumps(case))
    print("[\n" + ",\n".join(cases) + "\n]")


if __name__ == "__main__":
    main()
