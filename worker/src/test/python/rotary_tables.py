"""Writes rotary_tables.json: some cosines and sines of stretched rotary embeddings, with NumPy.

The formulas are those of the papers and of the models' reference code, in double precision, one
wavelength at a time. Usage: rotary_tables.py > rotary_tables.json
"""

import json
import math

import numpy as np

POSITIONS = [0, 1, 7, 100, 8191]


def plain(theta, size):
    return [theta ** (-2 * i / size) for i in range(size // 2)]


def linear(theta, size, factor):
    return [f / factor for f in plain(theta, size)]


def llama3(theta, size, factor, low, high, original):
    stretched = []
    for frequency in plain(theta, size):
        wavelength = 2 * math.pi / frequency
        if wavelength < original / high:
            stretched.append(frequency)
        elif wavelength > original / low:
            stretched.append(frequency / factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            stretched.append((1 - smooth) * frequency / factor + smooth * frequency)
    return stretched


def yarn(theta, size, factor, original, fast, slow, whole):
    def index(rotations):  # of the frequency that turns so often within the original context
        return size * math.log(original / (rotations * 2 * math.pi)) / (2 * math.log(theta))

    low, high = index(fast), index(slow)
    if whole:
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, size - 1)
    if low == high:
        high += 0.001
    stretched = []
    for i, frequency in enumerate(plain(theta, size)):
        ramp = min(max((i - low) / (high - low), 0), 1)
        stretched.append(frequency / factor * ramp + frequency * (1 - ramp))
    return stretched


def case(kind, theta, size, frequencies, attention=1.0, **parameters):
    angles = np.outer(POSITIONS, np.array(frequencies, np.float64))
    return {
        "kind": kind,
        "theta": theta,
        "head_size": size,
        "parameters": parameters,
        "attention": attention,
        "positions": POSITIONS,
        "cosine": np.round(np.cos(angles) * attention, 9).tolist(),
        "sine": np.round(np.sin(angles) * attention, 9).tolist(),
    }


def main():
    cases = [case("none", 10000.0, 32, plain(10000.0, 32))]
    cases.append(case("linear", 10000.0, 16, linear(10000.0, 16, 2.5), factor=2.5))
    for size, factor in [(64, 32.0), (128, 8.0)]:
        cases.append(
            case("llama3", 500000.0, size, llama3(500000.0, size, factor, 1.0, 4.0, 8192),
                 factor=factor, low=1.0, high=4.0, original=8192))
    for theta, size, factor, original, fast, slow, whole in [
        (1000000.0, 128, 4.0, 32768, 32.0, 1.0, True),
        (10000.0, 32, 16.0, 4096, 32.0, 1.0, True),
        (150000.0, 64, 32.0, 4096, 32.0, 1.0, False),
        (10000.0, 16, 4.0, 8, 32.0, 1.0, True),  # the ramp begins before index 0
    ]:
        cases.append(
            case("yarn", theta, size, yarn(theta, size, factor, original, fast, slow, whole),
                 0.1 * math.log(factor) + 1, factor=factor, original=original, fast=fast,
                 slow=slow, whole=whole))
    divisors = np.linspace(1, 8, 16).astype(np.float32).tolist()
    cases.append(
        case("divisors", 500000.0, 32,
             [f / d for f, d in zip(plain(500000.0, 32), divisors)], divisors=divisors))
    print("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]")


if __name__ == "__main__":
    main()
