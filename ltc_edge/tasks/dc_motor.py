"""Turn a motor's shaft to a reference that jumps, with readings at irregular times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from ltc_edge.arrays import BoolArray, FloatArray
from ltc_edge.errors import require
from ltc_edge.signals import ActionSignal
from ltc_edge.tasks import dc_motor_physics as physics
from ltc_edge.tasks.lqr import discrete_gain, feedback
from ltc_edge.tasks.plant_parameters import names_of, scaled
from ltc_edge.tasks.protocol import PlantBatch, Readings
from ltc_edge.tasks.seeding import generator
from ltc_edge.tasks.sensors import Sensor, select

PERIOD_S = 0.01
DT_RANGE_S = (0.5 * PERIOD_S, 2.0 * PERIOD_S)
MAX_STEPS = 500
MAX_REFERENCE_RAD = np.pi / 2
HOLD_RANGE_S = (0.4, 1.0)
# Enough references for an episode of the longest periods.
REFERENCES = int(np.ceil(MAX_STEPS * DT_RANGE_S[1] / HOLD_RANGE_S[0])) + 1
EFFORT_COST_PER_V2 = 1e-4
SENSORS = (
    Sensor("reference", "rad"),
    Sensor("encoder_position", "rad"),
    Sensor("speed", "rad/s", hidden=True),
    Sensor("current", "A", hidden=True),
)
STATE_COST = (1.0, 1e-4, 0.0, 0.0)
VOLTAGE_COST = 5e-3


class DcMotorPlants:
    """Servos, each with its own references and sampling times.

    All that an episode draws is drawn at its reset: references uniform within ±π/2, held for 0.4 to
    1 s, and sampling periods log-uniform between 5 and 20 ms. The shaft starts at rest at a random angle.
    With ``period_s`` the readings come so far apart instead, and the physics keeps about its step.
    """

    def __init__(
        self,
        columns: Sequence[int],
        motor: physics.MotorParameters = physics.NOMINAL,
        spread: float = 1.0,
        period_s: float | None = None,
    ) -> None:
        self._columns, self._motor, self._spread = list(columns), motor, spread
        self._period_s = period_s
        self._substeps = physics.SUBSTEPS if period_s is None else _substeps(period_s)
        self._servo: FloatArray = np.zeros((0, 5))
        self._dt_s: FloatArray = np.zeros((0, MAX_STEPS))
        self._references: FloatArray = np.zeros((0, REFERENCES))
        self._changes_s: FloatArray = np.zeros((0, REFERENCES))
        self._time_s: FloatArray = np.zeros(0)
        self._steps = np.zeros(0, dtype=np.int64)

    def reset(self, seeds: Sequence[int]) -> Readings:
        """Start ``len(seeds)`` episodes."""
        draws = [self._draw(generator(seed)) for seed in seeds]
        position, dt_s, references, holds_s = (np.stack(column) for column in zip(*draws, strict=True))
        self._servo = np.zeros((len(seeds), 5))
        self._servo[:, 0] = self._spread * position
        self._references = self._spread * references
        self._dt_s = dt_s if self._period_s is None else np.full_like(dt_s, self._period_s)
        self._changes_s = np.cumsum(holds_s, axis=1)
        self._time_s, self._steps = np.zeros(len(seeds)), np.zeros(len(seeds), dtype=np.int64)
        return self._readings(np.full(len(seeds), PERIOD_S), np.zeros(len(seeds)))

    def step(self, action: FloatArray, active: BoolArray) -> Readings:
        """Hold the voltage until the next reading.

        The reward is ``−(e² + 10⁻⁴ u²) dt / 10 ms``: the squared error at the end of the step in rad²
        and a small price on voltage, weighed by time so that the sampling does not matter.
        """
        rows = np.flatnonzero(active)
        reward, dt_s = np.zeros(len(self._servo)), np.full(len(self._servo), PERIOD_S)
        if len(rows):
            dt_s[rows] = self._dt_s[rows, self._steps[rows] % MAX_STEPS]
            voltage = np.clip(
                np.asarray(action, dtype=np.float64)[rows, 0], -physics.MAX_VOLTAGE_V, physics.MAX_VOLTAGE_V
            )
            reference = self._reference()[rows]
            self._servo[rows] = physics.advance(
                self._servo[rows], voltage, dt_s[rows], self._motor, self._substeps
            )
            cost = (self._servo[rows, 0] - reference) ** 2 + EFFORT_COST_PER_V2 * voltage**2
            reward[rows] = -cost * dt_s[rows] / PERIOD_S
            self._time_s[rows] += dt_s[rows]
            self._steps[rows] += 1
        return self._readings(dt_s, reward)

    def close(self) -> None:
        """Forget the episodes; nothing else is held."""
        self._servo = np.zeros((0, 5))

    @staticmethod
    def _draw(rng: np.random.Generator) -> tuple[float, FloatArray, FloatArray, FloatArray]:
        position = rng.uniform(-MAX_REFERENCE_RAD, MAX_REFERENCE_RAD)
        shortest, longest = DT_RANGE_S
        dt_s = shortest * (longest / shortest) ** rng.uniform(size=MAX_STEPS)
        references = rng.uniform(-MAX_REFERENCE_RAD, MAX_REFERENCE_RAD, size=REFERENCES)
        return (
            position,
            np.clip(dt_s, shortest, longest),
            references,
            rng.uniform(*HOLD_RANGE_S, size=REFERENCES),
        )

    def _reference(self) -> FloatArray:
        passed = (self._changes_s <= self._time_s[:, None]).sum(axis=1)
        current = np.minimum(passed, REFERENCES - 1)
        return np.asarray(self._references[np.arange(len(current)), current])

    def _readings(self, dt_s: FloatArray, reward: FloatArray) -> Readings:
        reference, servo = self._reference()[:, None], self._servo
        sensed = np.concatenate([reference, physics.encoder(servo[:, :1]), servo[:, 1:3]], axis=1)
        return Readings(
            observation=sensed[:, self._columns],
            privileged=np.concatenate([reference, servo], axis=1),
            dt_s=dt_s,
            reward=reward,
            terminated=np.zeros(len(servo), dtype=np.bool_),
        )


def _substeps(period_s: float) -> int:
    """As many as keep a step of the physics no longer than in a native period."""
    return max(int(np.ceil(physics.SUBSTEPS * period_s / PERIOD_S - 1e-9)), 1)


@lru_cache(maxsize=1)
def gain() -> FloatArray:
    """Volts per ``[rad, rad/s, A, V]``, shape ``(1, 4)``, for the native period with the voltage held.

    The period is discretised exactly: ``exp([[A, B], [0, 0]] T) = [[A_d, B_d], [0, 1]]``.
    Source: Van Loan, *Computing integrals involving the matrix exponential* (1978).
    """
    a, b = physics.linear_dynamics()
    size = len(a)
    joined = np.zeros((size + 1, size + 1))
    joined[:size, :size], joined[:size, size:] = a, b
    period = require("scipy.linalg", "train").expm(joined * PERIOD_S)
    return discrete_gain(
        period[:size, :size], period[:size, size:], np.diag(STATE_COST), np.diag([VOLTAGE_COST])
    )


class DcMotor:
    """Follow the reference; the expert is a linear-quadratic regulator on the error.

    The shaft integrates its speed, so a regulator of the error leaves none at rest.
    """

    name = "dc-motor"
    summary = "Turn a motor shaft to a jumping reference, sampled every 5 to 20 ms"
    actions: tuple[ActionSignal, ...] = (
        ActionSignal(
            "voltage",
            "V",
            low=-physics.MAX_VOLTAGE_V,
            high=physics.MAX_VOLTAGE_V,
            slew=physics.MAX_SLEW_V_S,
        ),
    )
    period_s = PERIOD_S
    dt_range_s = DT_RANGE_S
    max_steps = MAX_STEPS
    reward_threshold: float | None = None
    plant_parameters = names_of(physics.MotorParameters)

    def __init__(self, sensors: str = "positions") -> None:
        selection = select(SENSORS, sensors)
        self.observations = selection.signals
        self._columns = selection.columns

    def make_plants(self) -> PlantBatch:
        """A batch of NumPy servos."""
        return self.make_plants_off({})

    def make_plants_off(self, factors: Mapping[str, float]) -> PlantBatch:
        """The same with parameters off; see `HasPlantParameters`."""
        return DcMotorPlants(self._columns, scaled(physics.NOMINAL, factors))

    def make_plants_spread(self, spread: float) -> PlantBatch:
        """The same with wider starts and references; see `HasInitialSpread`."""
        return DcMotorPlants(self._columns, spread=spread)

    def make_plants_every(self, period_s: float) -> PlantBatch:
        """The same in other steps; see `HasOtherPeriods`."""
        return DcMotorPlants(self._columns, period_s=period_s)

    def expert(self, privileged: FloatArray) -> FloatArray:
        """Volts for states ``[reference, position, speed, current, drive voltage, drive command]``."""
        deviation = privileged[:, 1:5].copy()
        deviation[:, 0] -= privileged[:, 0]
        return np.clip(feedback(gain(), deviation), -physics.MAX_VOLTAGE_V, physics.MAX_VOLTAGE_V)
