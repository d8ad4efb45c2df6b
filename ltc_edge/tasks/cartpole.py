"""A pole on a cart pushed left or right: Gymnasium's ``CartPole-v1``.

The controller has one continuous output, the push; the cart takes its sign.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.signals import ActionSignal
from ltc_edge.tasks.lqr import discrete_gain, feedback
from ltc_edge.tasks.plant_parameters import names_of, scaled
from ltc_edge.tasks.protocol import PlantBatch
from ltc_edge.tasks.sensors import Sensor, select
from ltc_edge.tasks.vectorised import Transition, VectorisedPlants

PERIOD_S = 0.02
GRAVITY_M_S2 = 9.8
MAX_POSITION_M = 2.4
MAX_ANGLE_RAD = 12 * 2 * np.pi / 360
SENSORS = (
    Sensor("cart_position", "m"),
    Sensor("cart_velocity", "m/s", hidden=True),
    Sensor("pole_angle", "rad"),
    Sensor("pole_velocity", "rad/s", hidden=True),
)
STATE_COST = (1.0, 1.0, 10.0, 1.0)
FORCE_COST = 0.1


@dataclass(frozen=True)
class CartPoleParameters:
    """What a cart and its pole are made of; ``force_n`` is the size of a push."""

    cart_kg: float = 1.0
    pole_kg: float = 0.1
    half_length_m: float = 0.5
    force_n: float = 10.0

    @property
    def total_kg(self) -> float:
        """Of both."""
        return self.pole_kg + self.cart_kg

    @property
    def moment_kg_m(self) -> float:
        """The pole's first moment about its hinge."""
        return self.pole_kg * self.half_length_m


NOMINAL = CartPoleParameters()


class CartPolePlants(VectorisedPlants):
    """Cart and pole, the state ``[x, ẋ, θ, ω]``."""

    def __init__(
        self,
        columns: Sequence[int],
        period_s: float,
        parameters: CartPoleParameters = NOMINAL,
        spread: float = 1.0,
    ) -> None:
        super().__init__(columns, period_s, spread)
        self._parameters = parameters

    def initial(self, rng: np.random.Generator) -> FloatArray:
        """Uniform within ±0.05."""
        return rng.uniform(low=-0.05, high=0.05, size=(4,))

    def advance(self, state: FloatArray, action: FloatArray) -> Transition:
        """One Euler step; a positive push is Gymnasium's action 1, any other its action 0.

        Source: ``gymnasium.envs.classic_control.cartpole``, operations in its order.
        """
        p = self._parameters
        x, x_dot, theta, theta_dot = state.T
        force = np.where(action[:, 0] > 0, p.force_n, -p.force_n)
        cosine, sine = np.cos(theta), np.sin(theta)
        push = (force + p.moment_kg_m * np.square(theta_dot) * sine) / p.total_kg
        theta_acc = (GRAVITY_M_S2 * sine - cosine * push) / (
            p.half_length_m * (4.0 / 3.0 - p.pole_kg * np.square(cosine) / p.total_kg)
        )
        x_acc = push - p.moment_kg_m * theta_acc * cosine / p.total_kg
        dt_s = self._period_s
        x, x_dot = x + dt_s * x_dot, x_dot + dt_s * x_acc
        theta, theta_dot = theta + dt_s * theta_dot, theta_dot + dt_s * theta_acc
        terminated = (np.abs(x) > MAX_POSITION_M) | (np.abs(theta) > MAX_ANGLE_RAD)
        reward = np.full(len(x), dt_s / PERIOD_S)
        return Transition(np.stack([x, x_dot, theta, theta_dot], axis=1), reward, terminated)

    def sense(self, state: FloatArray) -> FloatArray:
        """The state itself."""
        return state


@lru_cache(maxsize=1)
def gain() -> FloatArray:
    """The regulator's gain in newtons, shape ``(1, 4)``, of the dynamics linearised upright."""
    per_force = 1 / NOMINAL.total_kg
    inertia = NOMINAL.half_length_m * (4.0 / 3.0 - NOMINAL.pole_kg / NOMINAL.total_kg)
    coupling = NOMINAL.moment_kg_m / NOMINAL.total_kg
    theta_by_theta, theta_by_force = GRAVITY_M_S2 / inertia, -per_force / inertia
    a = np.eye(4)
    a[0, 1] = a[2, 3] = PERIOD_S
    a[1, 2] = -coupling * theta_by_theta * PERIOD_S
    a[3, 2] = theta_by_theta * PERIOD_S
    b = np.array([[0.0], [per_force - coupling * theta_by_force], [0.0], [theta_by_force]]) * PERIOD_S
    return discrete_gain(a, b, np.diag(STATE_COST), np.diag([FORCE_COST]))


class CartPole:
    """Keep the pole upright; the expert is a linear-quadratic regulator."""

    name = "cartpole"
    summary = "Balance a pole by pushing its cart left or right (CartPole-v1)"
    actions: tuple[ActionSignal, ...] = (ActionSignal("push", "", low=-1.0, high=1.0),)
    period_s = PERIOD_S
    dt_range_s = (PERIOD_S, PERIOD_S)
    max_steps = 500
    reward_threshold: float | None = 475.0
    plant_parameters = names_of(CartPoleParameters)

    def __init__(self, sensors: str = "positions") -> None:
        selection = select(SENSORS, sensors)
        self.observations = selection.signals
        self._columns = selection.columns

    def make_plants(self) -> PlantBatch:
        """A batch of NumPy plants."""
        return self.make_plants_off({})

    def make_plants_off(self, factors: Mapping[str, float]) -> PlantBatch:
        """The same with parameters off; see `HasPlantParameters`."""
        return CartPolePlants(self._columns, PERIOD_S, scaled(NOMINAL, factors))

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """The same from wider starts; see `HasInitialSpread`."""
        return CartPolePlants(self._columns, PERIOD_S, spread=spread)

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """The same in other steps; see `HasOtherPeriods`."""
        return CartPolePlants(self._columns, period_s)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """The regulator's force for states ``[x, ẋ, θ, ω]`` as a fraction of the cart's 10 N."""
        return np.asarray(np.clip(feedback(gain(), privileged) / NOMINAL.force_n, -1.0, 1.0))
