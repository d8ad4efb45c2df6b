"""Where a step in C spends its time on a device: a timer interrupts steps, and notes in which part they are.

The program that tells is built for this alone. In it the generated step says where each of its parts
begins, by one store, in the place of the comment that stands there otherwise.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ltc_edge.export.c.stages import OTHER, STAGES, stage_of

DEFINE = f"-DHARNESS_STAGES={len(STAGES)}"
DURATION_NS, INTERVAL_NS = 400_000_000, 250_000
LEAST_SAMPLES = 200
"""Fewer say nothing about a part of a few percent."""

_COMMENT = re.compile(r"/\* Stage: ([a-z0-9_.]+) \*/")


def staged_source(source: bytes) -> bytes | None:
    """The generated file in which each part of a step says that it begins; None where it has no parts."""

    def store(comment: re.Match[str]) -> str:
        return f"harness_stage = {STAGES.index(stage_of(comment[1]))};"

    text, found = _COMMENT.subn(store, source.decode("ascii"))
    return f"extern volatile int harness_stage;\n{text}".encode() if found else None


def shares(block: bytes) -> dict[str, float] | None:
    """Share of the samples in each part that there is; None where there are too few of them."""
    counts = np.frombuffer(block, "<i8")
    if counts.sum() < LEAST_SAMPLES:
        return None
    found = zip(STAGES, counts.tolist(), strict=True)
    return {stage: count / counts.sum() for stage, count in found if count or stage == OTHER}


def request() -> dict[str, Any]:
    """What the harness is asked for."""
    return {"duration_ns": DURATION_NS, "interval_ns": INTERVAL_NS}
