"""AdamW against its formulas in NumPy."""

from __future__ import annotations

import numpy as np
import torch

from ltc_edge.training.adamw import AdamW


def test_moves_as_the_paper_says():
    rng = np.random.default_rng(0)
    value = rng.standard_normal((3, 2))
    moved = torch.from_numpy(value.copy()).requires_grad_()
    still = torch.ones(2, requires_grad=True)
    optimiser = AdamW({"moved": moved, "still": still}, weight_decay=0.1)
    mean, square = np.zeros_like(value), np.zeros_like(value)
    for step, rate in enumerate((0.1, 0.05, 0.02), start=1):
        gradient = rng.standard_normal(value.shape)
        moved.grad = torch.from_numpy(gradient)
        optimiser.step(rate)
        value = value * (1 - rate * 0.1)
        mean = 0.9 * mean + 0.1 * gradient
        square = 0.999 * square + 0.001 * gradient**2
        value -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        np.testing.assert_allclose(moved.detach(), value, rtol=1e-12)
    assert optimiser.moments.keys() == {"moved"}
    assert torch.equal(still, torch.ones(2))
    optimiser.zero_grad()
    assert moved.grad is None
