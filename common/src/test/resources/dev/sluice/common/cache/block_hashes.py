"""Writes block_hashes.json: names of KV blocks by an implementation of MurmurHash3 x64 128 of its own.

Usage: python3 block_hashes.py > block_hashes.json
"""

import json
import struct

MASK = (1 << 64) - 1
SEED = 0x536C7569


def rotate(x, bits):
    return ((x << bits) | (x >> (64 - bits))) & MASK


def finish(h):
    h = ((h ^ (h >> 33)) * 0xFF51AFD7ED558CCD) & MASK
    h = ((h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53) & MASK
    return h ^ (h >> 33)


def murmur3(data, seed):
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    h1 = h2 = seed
    whole = len(data) // 16 * 16
    for i in range(0, whole, 16):
        k1, k2 = struct.unpack_from("<QQ", data, i)
        h1 ^= rotate(k1 * c1 & MASK, 31) * c2 & MASK
        h1 = ((rotate(h1, 27) + h2) * 5 + 0x52DCE729) & MASK
        h2 ^= rotate(k2 * c2 & MASK, 33) * c1 & MASK
        h2 = ((rotate(h2, 31) + h1) * 5 + 0x38495AB5) & MASK
    tail = data[whole:]
    if len(tail) > 8:
        k2 = int.from_bytes(tail[8:], "little")
        h2 ^= rotate(k2 * c2 & MASK, 33) * c1 & MASK
    if tail:
        k1 = int.from_bytes(tail[:8], "little")
        h1 ^= rotate(k1 * c1 & MASK, 31) * c2 & MASK
    h1 ^= len(data)
    h2 ^= len(data)
    h1 = (h1 + h2) & MASK
    h2 = (h2 + h1) & MASK
    h1, h2 = finish(h1), finish(h2)
    h1 = (h1 + h2) & MASK
    return h1, (h2 + h1) & MASK


def chain(salt, tokens, block_size):
    high, low = murmur3(struct.pack("<QQ", 0, 0) + b"".join(struct.pack("<i", ord(c)) for c in salt), SEED)
    hashes = []
    for i in range(0, len(tokens) - block_size + 1, block_size):
        block = b"".join(struct.pack("<i", t) for t in tokens[i : i + block_size])
        high, low = murmur3(struct.pack("<QQ", high, low) + block, SEED)
        hashes.append(f"{high:016x}{low:016x}")
    return hashes


# The published test vector of the algorithm, so that this is no implementation of something else.
assert murmur3(b"The quick brown fox jumps over the lazy dog", 0) == (0xE34BBC7BBC071B6C, 0x7A433CA9C49A9347)

cases = []
for salt in ["", "tenant-7", "\u00e4\U0001f512"]:
    for block_size in [1, 2, 3, 4, 5, 16]:
        tokens = [(7919 * i * i + 13 * block_size) % 49152 for i in range(3 * block_size)]
        cases.append({"salt": salt, "blockSize": block_size, "tokens": tokens, "hashes": chain(salt, tokens, block_size)})
print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
