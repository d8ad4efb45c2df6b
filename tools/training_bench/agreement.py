"""Whether our cell computes what its peer does, outputs and gradients: what differs is not worth timing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from ltc_edge.errors import CheckFailedError
from training_bench.cases import Case
from training_bench.contenders import Contender, ncps_gradients, our_contender, our_gradients

TOLERANCE = 1e-4
"""Largest relative error, by the norm of what is compared: ncps itself sums millions of float32 terms."""

Arrays = Mapping[str, "np.ndarray[Any, Any]"]


def check_agreement(case: Case, ours: Contender, ncps: Contender) -> dict[str, Any]:
    """Run both once, or our cell step by step in float64 where ncps has no such solver.

    Returns:
        ``with`` whom, and the largest relative errors of ``outputs`` and ``gradients``.

    Raises:
        CheckFailedError: they differ by more than `TOLERANCE`.
    """
    outputs = ours().numpy()
    gradients = our_gradients(ours)
    if case.like_ncps:
        peer, expected = "ncps", ncps().numpy()
        expected_gradients: Arrays = ncps_gradients(ncps)
    else:
        reference = our_contender(case, loop=True, dtype=torch.float64)
        peer, expected = "our cell step by step, float64", reference().numpy()
        expected_gradients = our_gradients(reference)
    found = {
        "outputs": _error(outputs, expected),
        "gradients": max(_error(gradients[name], expected_gradients[name]) for name in gradients),
    }
    for what, error in found.items():
        if not error <= TOLERANCE:
            raise CheckFailedError(
                f"{case.name}: {what} differ from {peer} by {error:.1e}, more than {TOLERANCE:g}; not timed"
            )
    return {"with": peer, **found}


def _error(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> float:
    """Norm of the difference over the norm; over 1 where there is nothing to be relative to."""
    expected = expected.astype(np.float64)
    return float(np.linalg.norm(found - expected) / (np.linalg.norm(expected) or 1.0))
