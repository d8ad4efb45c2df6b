"""A weak car that must swing out of a valley: Gymnasium's ``MountainCarContinuous-v0``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.signals import ActionSignal
from ltc_edge.tasks.plant_parameters import names_of, scaled
from ltc_edge.tasks.protocol import PlantBatch
from ltc_edge.tasks.sensors import Sensor, select
from ltc_edge.tasks.vectorised import Transition, VectorisedPlants

MIN_POSITION, MAX_POSITION, GOAL_POSITION = -1.2, 0.6, 0.45
MAX_SPEED = 0.07
# Gymnasium names no unit of time for this plant; its rendering rate stands in for one.
PERIOD_S = 1 / 30
SENSORS = (Sensor("position"), Sensor("velocity", hidden=True))
EXPERT_ACTION = 0.5
EXPERT_SPEED = 0.01


def _rounded(values: FloatArray) -> FloatArray:
    """To float32 and back: Gymnasium keeps this plant's state in single precision."""
    return values.astype(np.float32).astype(np.float64)


@dataclass(frozen=True)
class CarParameters:
    """How strong the motor is, and how steep the valley: velocities gained in a step."""

    power: float = 0.0015
    gravity: float = 0.0025


NOMINAL = CarParameters()


class MountainCarPlants(VectorisedPlants):
    """Cars in a valley, the state ``[position, velocity]``."""

    middle = np.array([-0.5, 0.0])

    def __init__(
        self,
        columns: Sequence[int],
        period_s: float,
        parameters: CarParameters = NOMINAL,
        spread: float = 1.0,
    ) -> None:
        super().__init__(columns, period_s, spread)
        self._parameters = parameters

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """At rest near the bottom."""
        return np.array([rng.uniform(low=-0.6, high=-0.4), 0.0])

    def advance(self, state: FloatArray, action: FloatArray) -> Transition:
        """One step; the left wall stops the car, the goal ends the episode.

        Source: ``gymnasium.envs.classic_control.continuous_mountain_car``, for actions within ±1.
        """
        position, velocity = state.T
        force = np.clip(action[:, 0], -1.0, 1.0)
        # Gymnasium's first state is double precision and all later ones are single.
        slope = np.where(position == _rounded(position), _rounded(3 * position), 3 * position)
        share = self._period_s / PERIOD_S
        gained = force * self._parameters.power - self._parameters.gravity * np.cos(slope)
        velocity = velocity + share * gained
        velocity = np.clip(velocity, -MAX_SPEED, MAX_SPEED)
        position = np.clip(position + share * velocity, MIN_POSITION, MAX_POSITION)
        velocity = np.where((position == MIN_POSITION) & (velocity < 0), 0.0, velocity)
        terminated = (position >= GOAL_POSITION) & (velocity >= 0)
        reward = 100.0 * terminated - np.square(force) * 0.1 * share
        return Transition(_rounded(np.stack([position, velocity], axis=1)), reward, terminated)

    def sense(self, state: FloatArray) -> FloatArray:
        """The state itself."""
        return state


class MountainCar:
    """Reach the hilltop; the expert pushes with the motion, which adds energy at every step."""

    name = "mountain-car-continuous"
    summary = "Rock a weak car out of a valley (MountainCarContinuous-v0)"
    actions: tuple[ActionSignal, ...] = (ActionSignal("force", "", low=-1.0, high=1.0),)
    period_s = PERIOD_S
    dt_range_s = (PERIOD_S, PERIOD_S)
    max_steps = 999
    reward_threshold: float | None = 90.0
    plant_parameters = names_of(CarParameters)

    def __init__(self, sensors: str = "positions") -> None:
        selection = select(SENSORS, sensors)
        self.observations = selection.signals
        self._columns = selection.columns

    def make_plants(self) -> PlantBatch:
        """A batch of NumPy plants."""
        return self.make_plants_off({})

    def make_plants_off(self, factors: Mapping[str, float]) -> PlantBatch:
        """The same with parameters off; see `HasPlantParameters`."""
        return MountainCarPlants(self._columns, PERIOD_S, scaled(NOMINAL, factors))

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """The same from wider starts; see `HasInitialSpread`."""
        return MountainCarPlants(self._columns, PERIOD_S, spread=spread)

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """The same in other steps; see `HasOtherPeriods`."""
        return MountainCarPlants(self._columns, period_s)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """Push along the velocity of states ``[position, velocity]``, more gently when slow."""
        return np.asarray(EXPERT_ACTION * np.tanh(privileged[:, 1:2] / EXPERT_SPEED))
