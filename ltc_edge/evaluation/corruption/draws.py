"""Random numbers of a corruption: those of an episode depend on its seed alone.

Severities of a kind share their draws, so that along a curve the magnitude changes and not the luck; so do
controllers and formats, so that they are compared on the very same readings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from ltc_edge.evaluation.corruption.pack import PACK


def generators(kind: str, seeds: Sequence[int]) -> list[np.random.Generator]:
    """A generator for each episode of ``seeds``, whatever the other episodes of the batch."""
    digest = hashlib.sha256(f"corruption pack {PACK.version}/{kind}".encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return [np.random.Generator(np.random.PCG64([*words, int(seed)])) for seed in seeds]
