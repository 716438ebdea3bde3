# SPDX-License-Identifier: Apache-2.0
"""The records of the power-cut test, as value.c makes them."""


def mix(producer, sequence):
    x = (producer * 2654435761 ^ (sequence + 1) * 2246822519) & 0xFFFFFFFF
    x ^= x >> 15
    x = x * 2654435761 & 0xFFFFFFFF
    return x ^ x >> 13


def length(producer, sequence):
    m = mix(producer, sequence)
    return 40 + (m % 200 if m & 7 else m % (4000 - 40))


def make_value(producer, sequence):
    m, size = mix(producer, sequence), length(producer, sequence)
    text = f"r {producer} {sequence} {size} "
    return text + "".join(chr(97 + (m + n * (1 + m % 7)) % 26) for n in range(len(text), size))


def make_key(producer, sequence):
    return f"k{producer}.{mix(producer, sequence) % 16}"


def is_tombstone(producer, sequence):
    return (mix(producer, sequence) >> 8) % 4 == 0
