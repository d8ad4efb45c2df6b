"""A pole on a cart: Gymnasium's ``InvertedPendulum-v5``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.signals import ActionSignal
from ltc_edge.tasks.lqr import discrete_gain, feedback, linearise_mujoco
from ltc_edge.tasks.mujoco_plants import PARAMETERS, MujocoPlants, Outcome, load_model
from ltc_edge.tasks.protocol import PlantBatch
from ltc_edge.tasks.sensors import Sensor, select

ASSET = "inverted_pendulum.xml"
FRAME_SKIP = 2
SENSORS = (
    Sensor("cart_position", "m"),
    Sensor("pole_angle", "rad"),
    Sensor("cart_velocity", "m/s", hidden=True),
    Sensor("pole_velocity", "rad/s", hidden=True),
)
MAX_ANGLE_RAD = 0.2
STATE_COST = (1.0, 10.0, 0.1, 0.1)
ACTION_COST = 0.1


class InvertedPendulumPlants(MujocoPlants):
    """Plants that end when the pole leans by more than 0.2 rad."""

    def __init__(
        self,
        columns: Sequence[int],
        factors: Mapping[str, float],
        spread: float = 1.0,
        period_s: float | None = None,
    ) -> None:
        super().__init__(ASSET, FRAME_SKIP, columns, factors, spread=spread, period_s=period_s)

    def noise(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Uniform within ±0.01, positions first."""
        return rng.uniform(-0.01, 0.01, size=2), rng.uniform(-0.01, 0.01, size=2)

    def outcome(self, record: FloatArray) -> Outcome:
        """One for each step that ends upright."""
        fallen = np.abs(record[:, 1]) > MAX_ANGLE_RAD
        terminated = fallen | ~np.isfinite(record).all(axis=1)
        return Outcome(1.0 * ~terminated, terminated)

    def sense(self, record: FloatArray) -> FloatArray:
        """The state itself."""
        return record


@lru_cache(maxsize=1)
def gain() -> FloatArray:
    """The regulator's gain, shape ``(1, 4)``, around the pole upright."""
    a, b = linearise_mujoco(load_model(ASSET), FRAME_SKIP)
    return discrete_gain(a, b, np.diag(STATE_COST), np.diag([ACTION_COST]))


class InvertedPendulum:
    """Keep the pole upright; the expert is a linear-quadratic regulator."""

    name = "inverted-pendulum"
    summary = "Balance a pole on a cart (InvertedPendulum-v5)"
    actions: tuple[ActionSignal, ...] = (ActionSignal("cart_force", "", low=-3.0, high=3.0),)
    period_s = 0.04
    dt_range_s = (0.04, 0.04)
    max_steps = 1000
    reward_threshold: float | None = 950.0
    plant_parameters = PARAMETERS

    def __init__(self, sensors: str = "positions") -> None:
        selection = select(SENSORS, sensors)
        self.observations = selection.signals
        self._columns = selection.columns

    def make_plants(self) -> PlantBatch:
        """A batch of MuJoCo plants."""
        return self.make_plants_off({})

    def make_plants_off(self, factors: Mapping[str, float]) -> PlantBatch:
        """The same with parameters off; see `HasPlantParameters`."""
        return InvertedPendulumPlants(self._columns, factors)

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """The same from wider starts; see `HasInitialSpread`."""
        return InvertedPendulumPlants(self._columns, {}, spread)

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """The same in other steps; see `HasOtherPeriods`."""
        return InvertedPendulumPlants(self._columns, {}, period_s=period_s)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """Control for states ``[x, θ, ẋ, ω]``."""
        return np.clip(feedback(gain(), privileged), -3.0, 3.0)
