"""How far a step of dt moves a state towards where it is drawn, as a fraction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ltc_edge.export.program import Array, ProgramBuilder, Range


@dataclass(frozen=True)
class Rate:
    """Tensors ``moved = λ`` and ``kept = 1 − λ``."""

    moved: str
    kept: str


def blend_rate(builder: ProgramBuilder, t: str, kappa: Array) -> Rate:
    """``λ = t / (t + kappa)`` for a time tensor ``t`` in (0, 1], a neuron at a time.

    Written ``t·a / (t·a + b)`` with ``a + b = 1``, so that slow and fast neurons share one scale.
    """
    share = Range(0.0, 1.0)
    with builder.stage("rate"):
        a = builder.constant("fast", 1.0 / (1.0 + kappa))
        b = builder.constant("slow", kappa / (1.0 + kappa))
        drawn = builder.binary("mul", "drawn", t, a, share)
        both = builder.binary("add", "both", drawn, b, share)
        moved = builder.binary("div", "moved", drawn, both, share)
        kept = builder.binary("sub", "kept", builder.constant("one", np.ones(1)), moved, share)
    return Rate(moved, kept)
