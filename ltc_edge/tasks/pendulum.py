"""Swing a pendulum up and hold it: Gymnasium's ``Pendulum-v1``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.signals import ActionSignal
from ltc_edge.tasks.pendulum_physics import MAX_TORQUE_NM, NOMINAL, PERIOD_S, PendulumParameters, advance
from ltc_edge.tasks.pendulum_values import action_values, best_torque
from ltc_edge.tasks.plant_parameters import names_of, scaled
from ltc_edge.tasks.protocol import PlantBatch
from ltc_edge.tasks.sensors import Sensor, select
from ltc_edge.tasks.vectorised import Transition, VectorisedPlants

SENSORS = (
    Sensor("cos_angle"),
    Sensor("sin_angle"),
    Sensor("angular_velocity", "rad/s", hidden=True),
)


class PendulumPlants(VectorisedPlants):
    """Pendulums, the state ``[θ, ω]`` with θ zero upright and not wrapped."""

    def __init__(
        self,
        columns: Sequence[int],
        period_s: float,
        parameters: PendulumParameters = NOMINAL,
        spread: float = 1.0,
    ) -> None:
        super().__init__(columns, period_s, spread)
        self._parameters = parameters

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """Any angle, up to 1 rad/s."""
        return rng.uniform(low=[-np.pi, -1.0], high=[np.pi, 1.0])

    def advance(self, state: FloatArray, action: FloatArray) -> Transition:
        """One Euler step; an episode never ends by itself."""
        angle, velocity, reward = advance(
            state[:, 0], state[:, 1], action[:, 0], self._parameters, self._period_s
        )
        return Transition(np.stack([angle, velocity], axis=1), reward, np.zeros(len(state), dtype=np.bool_))

    def sense(self, state: FloatArray) -> FloatArray:
        """``[cos θ, sin θ, ω]``."""
        return np.stack([np.cos(state[:, 0]), np.sin(state[:, 0]), state[:, 1]], axis=1)


class Pendulum:
    """Swing up and hold; the expert looks one step ahead through a value function."""

    name = "pendulum"
    summary = "Swing a pendulum up and hold it upright (Pendulum-v1)"
    actions: tuple[ActionSignal, ...] = (
        ActionSignal("torque", "N*m", low=-MAX_TORQUE_NM, high=MAX_TORQUE_NM),
    )
    period_s = PERIOD_S
    dt_range_s = (PERIOD_S, PERIOD_S)
    max_steps = 200
    reward_threshold: float | None = None
    plant_parameters = names_of(PendulumParameters)

    def __init__(self, sensors: str = "positions") -> None:
        selection = select(SENSORS, sensors)
        self.observations = selection.signals
        self._columns = selection.columns

    def make_plants(self) -> PlantBatch:
        """A batch of NumPy pendulums."""
        return self.make_plants_off({})

    def make_plants_off(self, factors: Mapping[str, float]) -> PlantBatch:
        """The same with parameters off; see `HasPlantParameters`."""
        return PendulumPlants(self._columns, PERIOD_S, scaled(NOMINAL, factors))

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """The same from wider starts; see `HasInitialSpread`."""
        return PendulumPlants(self._columns, PERIOD_S, spread=spread)

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """The same in other steps; see `HasOtherPeriods`."""
        return PendulumPlants(self._columns, period_s)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """Torques for states ``[θ, ω]``."""
        return best_torque(privileged)[:, None]

    def action_values(self, privileged: FloatArray) -> tuple[FloatArray, FloatArray]:
        """A grid of 25 torques and the return of each, then following the expert for good."""
        return action_values(privileged)
