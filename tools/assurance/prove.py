"""Small functions over all that they can be given, and what the CRC of the parameters detects, by algebra."""

from __future__ import annotations

import ctypes
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from assurance.building import call
from assurance.subjects import HARNESS, RUNTIME

WIDTH = 32


def exhaustive(stride: int, folder: Path) -> dict[str, Any]:
    """Promises of the small float functions at every ``stride``-th float of 32 bits.

    Raises:
        InputError: gcc is not installed.
        CheckFailedError: a promise is broken; the message says which and at which bits.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources = [HARNESS / "exhaustive.c", RUNTIME / "ltc_finite_f32.c"]
    call(["gcc", "-std=c99", "-O2", f"-I{RUNTIME}", *sources, "-o", "exhaustive"], folder)
    call([folder / "exhaustive", str(stride)], folder)
    return {"ok": True, "floats": (2**32 - 1) // stride + 1}


def crc(size: int, folder: Path) -> dict[str, Any]:
    """What the C detects in a block of ``size`` bytes.

    The CRC is affine over GF(2): its table is linear, the rest of it shifts and exclusive ors. So where
    it equals zlib's for the zero block and every block of one bit, it equals zlib's for every block; and an
    error is detected where its syndrome, the sum of those of its bits, is not 0.

    Returns:
        ``ok`` where all that follows holds: ``equals_zlib``; every error of ``one_bit``, ``two_bits`` and
        ``three_bits``, and every ``burst_of_32`` neighbouring bits, is detected.
    """
    function = _crc_function(folder)
    zero = bytes(size)
    first = function(zero)
    syndromes = np.zeros(8 * size, dtype=np.uint64)
    same = first == zlib.crc32(zero)
    block = bytearray(size)
    for bit in range(8 * size):
        block[bit // 8] = 1 << (bit % 8)
        value = function(bytes(block))
        same = same and value == zlib.crc32(block)
        syndromes[bit] = value ^ first
        block[bit // 8] = 0
    known = set(syndromes.tolist())
    # Moving an error towards the start multiplies its syndrome by an invertible map: the last bit stands for
    # the last bit of any error of three.
    last = int(syndromes[-1])
    third = {last ^ int(value) for value in syndromes[:-1]} & known
    found = {
        "equals_zlib": same,
        "one_bit": 0 not in known,
        "two_bits": len(known) == 8 * size,
        "three_bits": not third,
        "burst_of_32": all(
            _rank(syndromes[start : start + WIDTH]) == WIDTH for start in range(8 * size - WIDTH + 1)
        ),
    }
    return {"ok": all(found.values()), "bytes": size, **found}


def _crc_function(folder: Path) -> Any:
    folder.mkdir(parents=True, exist_ok=True)
    call(["gcc", "-std=c99", "-O2", "-shared", "-fPIC", RUNTIME / "ltc_crc32.c", "-o", "crc.so"], folder)
    function = ctypes.CDLL(str(folder / "crc.so")).ltc_crc32
    function.argtypes, function.restype = (ctypes.c_char_p, ctypes.c_uint32), ctypes.c_uint32
    return lambda data: function(data, len(data))


def _rank(words: np.ndarray[Any, Any]) -> int:
    """Rank of words of 32 bits over GF(2)."""
    basis: dict[int, int] = {}
    for word in map(int, words):
        rest = word
        while rest:
            top = rest.bit_length()
            if top not in basis:
                basis[top] = rest
                break
            rest ^= basis[top]
    return len(basis)
