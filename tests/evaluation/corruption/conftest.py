"""A plant made by hand, of which everything is known: its readings are ramps and its reward is its action."""

from __future__ import annotations

import numpy as np
import pytest

from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks import Readings


class Ramps:
    """Readings ``[k, −2k, 7]`` at step k, plus the seed's thousandth; remembers what it was told."""

    def __init__(self, slope=1.0, ends_at=None):
        self.slope, self.ends_at = slope, ends_at
        self.told, self.stepped = [], []

    def reset(self, seeds):
        self.offset = 1e-3 * np.array(seeds, dtype=float)
        self.step_of = np.zeros(len(seeds))
        return self.readings(np.zeros(len(seeds)))

    def step(self, action, active):
        self.told.append(action.copy())
        self.stepped.append(active.copy())
        self.step_of = self.step_of + active
        return self.readings(np.where(active, action[:, 0], 0.0))

    def readings(self, reward):
        k = self.slope * self.step_of
        seen = np.stack([k, -2.0 * k, np.full(len(k), 7.0)], axis=1) + self.offset[:, None]
        ended = np.zeros(len(k), dtype=bool) if self.ends_at is None else self.step_of >= self.ends_at
        return Readings(seen, seen.copy(), np.full(len(k), 0.1), reward, ended)

    def close(self):
        pass


class RampTask:
    name = "ramps"
    summary = "Watch"
    observations = tuple(ObservationSignal(name) for name in "abc")
    actions = (ActionSignal("push", "", -1.0, 1.0),)
    period_s = 0.1
    dt_range_s = (0.1, 0.1)
    reward_threshold = None
    plant_parameters = ("slope",)

    def __init__(self, max_steps=40, ends_at=None):
        self.max_steps, self.ends_at = max_steps, ends_at

    def make_plants(self):
        return self.make_plants_off({})

    def make_plants_off(self, factors):
        self.plants = Ramps(factors.get("slope", 1.0), self.ends_at)
        return self.plants

    def expert(self, privileged):
        return np.full((len(privileged), 1), 0.5)


@pytest.fixture
def ramp_task():
    """Makes the task; ``max_steps`` and ``ends_at`` can be told."""
    return RampTask
