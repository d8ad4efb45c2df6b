"""Random generators that draw what Gymnasium's environments draw for the same seed."""

from __future__ import annotations

import numpy as np


def generator(seed: int) -> np.random.Generator:
    """The generator that ``gymnasium.Env.reset(seed=seed)`` makes.

    Source: ``gymnasium.utils.seeding.np_random``.
    """
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(int(seed))))
