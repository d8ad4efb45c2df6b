"""Two poles on a cart, one on top of the other: Gymnasium's ``InvertedDoublePendulum-v5``."""

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

ASSET = "inverted_double_pendulum.xml"
FRAME_SKIP = 5
SENSORS = (
    Sensor("cart_position", "m"),
    Sensor("sin_lower_angle"),
    Sensor("sin_upper_angle"),
    Sensor("cos_lower_angle"),
    Sensor("cos_upper_angle"),
    Sensor("cart_velocity", "m/s", hidden=True),
    Sensor("lower_velocity", "rad/s", hidden=True),
    Sensor("upper_velocity", "rad/s", hidden=True),
    Sensor("cart_constraint_force", "N", hidden=True),
)
STATE_COST = (1.0, 10.0, 10.0, 0.1, 0.1, 0.1)
ACTION_COST = 0.1


class InvertedDoublePendulumPlants(MujocoPlants):
    """Plants that end when the tip sinks below 1 m.

    A record is the positions and velocities, the tip's place in space as MuJoCo left it, and the joints'
    constraint forces, of which the first is that of the cart's end stops: 3 numbers each.
    """

    def __init__(
        self,
        columns: Sequence[int],
        factors: Mapping[str, float],
        spread: float = 1.0,
        period_s: float | None = None,
    ) -> None:
        watched = ("site_xpos", "qfrc_constraint")
        super().__init__(ASSET, FRAME_SKIP, columns, factors, watched, spread, period_s)

    def noise(self, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
        """Uniform positions within ±0.1, normal velocities of deviation 0.1."""
        return rng.uniform(low=-0.1, high=0.1, size=3), rng.standard_normal(3) * 0.1

    def outcome(self, record: FloatArray) -> Outcome:
        """Ten while the tip is above 1 m, less its distance from (0, 2) and the poles' speeds."""
        x, y = record[:, 6], record[:, 8]
        terminated = y <= 1.0
        distance = 0.01 * x**2 + (y - 2.0) ** 2
        speed = 1e-3 * record[:, 4] ** 2 + 5e-3 * record[:, 5] ** 2
        return Outcome(10.0 * ~terminated - distance - speed, terminated)

    def sense(self, record: FloatArray) -> FloatArray:
        """Gymnasium's nine observations."""
        return np.concatenate(
            [
                record[:, :1],
                np.sin(record[:, 1:3]),
                np.cos(record[:, 1:3]),
                np.clip(record[:, 3:6], -10.0, 10.0),
                np.clip(record[:, 9:10], -10.0, 10.0),
            ],
            axis=1,
        )


@lru_cache(maxsize=1)
def gain() -> FloatArray:
    """The regulator's gain, shape ``(1, 6)``, around both poles upright."""
    a, b = linearise_mujoco(load_model(ASSET), FRAME_SKIP)
    return discrete_gain(a, b, np.diag(STATE_COST), np.diag([ACTION_COST]))


class InvertedDoublePendulum:
    """Keep both poles upright; the expert is a linear-quadratic regulator."""

    name = "inverted-double-pendulum"
    summary = "Balance two stacked poles on a cart (InvertedDoublePendulum-v5)"
    actions: tuple[ActionSignal, ...] = (ActionSignal("cart_force", "", low=-1.0, high=1.0),)
    period_s = 0.05
    dt_range_s = (0.05, 0.05)
    max_steps = 1000
    reward_threshold: float | None = 9100.0
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
        return InvertedDoublePendulumPlants(self._columns, factors)

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """The same from wider starts; see `HasInitialSpread`."""
        return InvertedDoublePendulumPlants(self._columns, {}, spread)

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """The same in other steps; see `HasOtherPeriods`."""
        return InvertedDoublePendulumPlants(self._columns, {}, period_s=period_s)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """Control for states ``[x, θ₁, θ₂, ẋ, ω₁, ω₂]``; θ₂ is relative to the lower pole."""
        return np.clip(feedback(gain(), privileged), -1.0, 1.0)
