"""Writes ggml_types.json: for each element type of GGUF that is read, some blocks and their values.

The oracle is the Python package `gguf`. Types that it quantises hold random numbers; the others hold
random blocks with scales of a sensible size. Usage: ggml_types.py > ggml_types.json
"""

import json

import numpy as np
from gguf import GGMLQuantizationType as Type
from gguf.quants import dequantize, quantize

QUANTISED = [Type.F32, Type.F16, Type.BF16, Type.Q4_0, Type.Q4_1, Type.Q5_0, Type.Q5_1, Type.Q8_0]

# Bytes of a block of 256 elements, and where its half-precision scales lie.
RANDOM = {Type.Q4_K: (144, [0, 2]), Type.Q5_K: (176, [0, 2]), Type.Q6_K: (210, [208])}


def main():
    generator = np.random.default_rng(1)
    cases = []
    for kind in QUANTISED:
        values = generator.standard_normal((2, 64)).astype(np.float32)
        values[0, 0] = 0
        values[1, 32:] = 0  # a block without a scale
        cases.append(case(kind, values.shape, quantize(values, kind)))
    for kind, (size, scales) in RANDOM.items():
        blocks = generator.integers(0, 256, (2, size), dtype=np.uint8)
        for at in scales:
            halves = generator.uniform(-0.02, 0.02, 2).astype(np.float16)
            blocks[:, at : at + 2] = halves.view(np.uint8).reshape(2, 2)
        cases.append(case(kind, (2, 256), blocks))
    print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")


def case(kind, shape, data):
    values = dequantize(data, kind).reshape(-1)
    return {
        "type": kind.name,
        "shape": list(shape),
        "data": data.tobytes().hex(),
        "values": [float(v) for v in values],
    }


if __name__ == "__main__":
    main()
