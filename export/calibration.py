"""What a controller sees while it works, and how far each tensor goes then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.arrays import BoolArray
from ltc_edge.cells.spec import BOUNDED_SOLVERS
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.coordinates import (
    Coordinates,
    Observed,
    ltc_of,
    ltc_state,
    ltc_state_bounds,
    needed_conductance,
    unit_coordinates,
)
from ltc_edge.export.execute import Hook, ProgramBatch
from ltc_edge.export.integer_pairs import best_offset
from ltc_edge.export.lowering import lower_floating, lower_unit
from ltc_edge.export.program import STATE_OUT, Affine, Array, Program

SAMPLES = 4000
"""Steps of which tensors are kept: enough to tell which channels of a layer's input move together."""


@dataclass(frozen=True, eq=False)
class Sequences:
    """``E`` sequences of raw sensor values, padded to ``T`` steps.

    Attributes:
        observation: ``(E, T, I)``, in the sensors' units.
        dt_s: seconds before each observation, ``(E, T)``.
        valid: which steps there are, ``(E, T)``.
        source: where they come from, for the plan and the model card.
    """

    observation: Array
    dt_s: Array
    valid: BoolArray
    source: str

    def check(self, controller: Controller) -> None:
        """Raise `InputError` unless the sequences can be fed to ``controller``."""
        channels = len(controller.observations)
        if self.observation.ndim != 3 or self.observation.shape[2] != channels or not self.observation.size:
            raise InputError(
                f"calibration data has shape {self.observation.shape}; the controller reads {channels} "
                f"channels: {', '.join(signal.name for signal in controller.observations)}"
            )
        if not self.dt_s.shape == self.valid.shape == self.observation.shape[:2]:
            raise InputError(
                f"calibration data has times of shape {self.dt_s.shape} and validity of shape "
                f"{self.valid.shape}, expected {self.observation.shape[:2]}"
            )
        if not self.valid.any():
            raise InputError("calibration data holds no step that is valid")
        used = self.observation[self.valid], self.dt_s[self.valid]
        if not all(np.isfinite(values).all() for values in used):
            raise InputError("calibration data holds values that are not finite; clean it first")
        if not (used[1] > 0).all():
            raise InputError("calibration data holds times that do not increase")


def usual_values(controller: Controller) -> Affine:
    """About where each sensor value lies, and how widely it moves: what the normaliser was made from."""
    return Affine(
        controller.normalizer.offset.astype(np.float64), controller.normalizer.scale.astype(np.float64)
    )


def excitation(
    controller: Controller, *, sequences: int, steps: int, seed: int, about: Affine | None = None
) -> Sequences:
    """Made-up sensor values that move like real ones, at irregular times.

    Each channel is a first-order autoregressive process about its usual value, as wide as its usual
    deviation, with a correlation of some ten steps; each dt is drawn anew: half of them the native
    period, half log-uniform over the range allowed.

    Args:
        controller: what is to read them.
        sequences, steps: how many, and how long.
        seed: the same seed gives the same values.
        about: usual value and deviation of each channel; None for `usual_values`.
    """
    about = about or usual_values(controller)
    rng = np.random.default_rng(seed)
    channels, timing = len(controller.observations), controller.timing
    noise = rng.normal(size=(sequences, steps, channels))
    z = np.empty_like(noise)
    z[:, 0] = noise[:, 0]
    kept = np.exp(-0.1)
    for step in range(1, steps):
        z[:, step] = kept * z[:, step - 1] + np.sqrt(1 - kept**2) * noise[:, step]
    spread = np.exp(rng.uniform(np.log(timing.dt_min_s), np.log(timing.dt_max_s), size=(sequences, steps)))
    dt = np.where(
        rng.random((sequences, steps)) < 0.5,
        timing.period_s,
        np.clip(spread, timing.dt_min_s, timing.dt_max_s),
    )
    return Sequences(
        about.to_raw(z),
        dt,
        np.ones((sequences, steps), dtype=np.bool_),
        f"autoregressive excitation, seed {seed}",
    )


@dataclass(frozen=True, eq=False)
class Steps:
    """Inputs in unit coordinates, step by step: observation ``(T, E, I)``, dt ``(T, E, 1)``."""

    observation: Array
    dt: Array


def unit_steps(controller: Controller, coordinates: Coordinates, sequences: Sequences) -> Steps:
    """Sequences as a quantised step reads them: clipped, with dt in its range, as fractions."""
    timing = controller.timing
    observation = np.where(sequences.valid[:, :, None], sequences.observation, coordinates.observation.center)
    dt = np.where(sequences.valid, np.clip(sequences.dt_s, timing.dt_min_s, timing.dt_max_s), timing.period_s)
    return Steps(
        np.clip(coordinates.observation.to_fraction(observation), -1.0, 1.0).swapaxes(0, 1),
        coordinates.dt.to_fraction(dt[:, :, None]).swapaxes(0, 1),
    )


def saturating(program: Program) -> Hook:
    """A hook that cuts off what an integer's range cuts off."""

    def saturate(name: str, values: Array) -> Array:
        proved = program.proved.get(name)
        return values if proved is None or not proved.saturates else np.clip(values, proved.low, proved.high)

    return saturate


@dataclass(frozen=True, eq=False)
class Measured:
    """What running a controller over its calibration showed.

    Attributes:
        signals: what its unit coordinates are made from: the arguments of `unit_coordinates`.
        coordinates: unit coordinates of its signals.
        program: the step in these.
        ranges: least and greatest value of each of the program's tensors.
        samples: of each dense operation, rows of its input ``(R, k)``.
        steps: how many steps were run.
    """

    signals: Mapping[str, Any]
    coordinates: Coordinates
    program: Program
    ranges: Mapping[str, tuple[float, float]]
    samples: Mapping[str, Array]
    steps: int


def measure(
    controller: Controller, calibration: tuple[Sequences, ...], *, percentile: float = 100.0
) -> Measured:
    """Run ``controller`` over the sequences and record how far everything goes.

    Ranges are plain min and max; with a ``percentile`` below 100 those of tensors without a proved range
    leave out the rest of the values at either end.

    Raises:
        InputError: sequences do not fit the controller, or its cell has no unit form.
    """
    if not calibration or not 50.0 < percentile <= 100.0:
        raise InputError(
            f"calibration takes at least one set of sequences ({len(calibration)} given) and a percentile "
            f"above 50 and up to 100, not {percentile:g}"
        )
    for sequences in calibration:
        sequences.check(controller)
    # An explicit solver may diverge here; the coordinates refuse it.
    with np.errstate(over="ignore", invalid="ignore"):
        seen = _signals(controller, calibration)
    coordinates = unit_coordinates(controller, **seen)
    program = lower_unit(controller, coordinates)
    recorder = _Recorder(program, sum(int(s.valid.sum()) for s in calibration), percentile)
    for sequences in calibration:
        _run_unit(controller, program, coordinates, sequences, recorder)
    return Measured(seen, coordinates, program, recorder.ranges(), recorder.samples(), recorder.steps)


def _signals(controller: Controller, calibration: tuple[Sequences, ...]) -> dict[str, Any]:
    """What `unit_coordinates` is told: ranges of signals, and of an LTC its units of conductance."""
    program = lower_floating(controller)
    batch = ProgramBatch(program)
    size = controller.cell.state_size
    seen: dict[str, list[Array]] = {"observation": [], "state": [], "action": []}
    membrane = _Membrane.of(controller, program)
    for sequences in calibration:
        state = np.tile(controller.reset_state, (len(sequences.observation), 1))
        for observation, dt, rows in _steps(sequences):
            tensors = batch.tensors(observation, dt, state)
            following = tensors[program.outputs[STATE_OUT]]
            state = np.where(rows[:, None], following, state)
            seen["observation"].append(observation[rows])
            seen["state"].append(following[rows, :size])
            seen["action"].append(tensors["readout.action"][rows])
            if membrane is not None:
                membrane.see(tensors, rows)
    found: dict[str, Any] = {name: _observed(values) for name, values in seen.items()}
    return found if membrane is None else found | membrane.signals()


@dataclass
class _Membrane:
    """How much current and conductance the neurons of an LTC were seen to have.

    Attributes:
        state: coordinates of the state, by which potentials are measured.
        offset: of their centers; see `unit_coordinates`.
        sums: names of the sums of a sub-step, numerator and denominator.
        needed: the unit of conductance that was needed so far, ``(N,)``.
    """

    state: Affine
    offset: Array
    sums: list[tuple[str, str]]
    needed: Array

    @classmethod
    def of(cls, controller: Controller, program: Program) -> _Membrane | None:
        """Nothing seen yet; None where there is nothing to see, or nothing is bounded."""
        spec = ltc_of(controller)
        if spec is None or spec.solver not in BOUNDED_SOLVERS:
            return None
        bounds = ltc_state_bounds(controller)
        offset = best_offset(spec, controller.parameters, bounds)
        numerators = [name for name in program.sizes if name.endswith(".numerator_sum")]
        sums = [(name, name.replace("numerator", "denominator")) for name in numerators]
        return cls(ltc_state(bounds, offset), offset, sums, np.zeros(spec.units))

    def see(self, tensors: Mapping[str, Array], rows: BoolArray) -> None:
        """What the inputs, the other neurons, and both together make in one step of the batch."""
        inputs = tensors["ltc.sensory.numerator"], tensors["ltc.sensory.denominator"]
        parts = [inputs]
        for n, d in self.sums:
            parts += [(tensors[n], tensors[d]), (inputs[0] + tensors[n], inputs[1] + tensors[d])]
        for n_sum, d_sum in parts:
            used = np.atleast_2d(needed_conductance(self.state, n_sum, d_sum))
            used = used[rows] if len(used) == len(rows) else used
            self.needed = np.maximum(self.needed, used.max(axis=0))

    def signals(self) -> dict[str, Array]:
        """What was seen."""
        return {"conductance": self.needed, "offset": self.offset}


def _observed(values: list[Array]) -> Observed:
    return Observed(
        np.min([v.min(axis=0) for v in values if len(v)], axis=0),
        np.max([v.max(axis=0) for v in values if len(v)], axis=0),
    )


def _steps(sequences: Sequences) -> Iterator[tuple[Array, Array, BoolArray]]:
    """Observations ``(E, I)``, times ``(E, 1)`` and which rows are there, step by step."""
    # Padding may hold anything; zeros cannot disturb, since those rows are dropped.
    observation = np.where(sequences.valid[:, :, None], sequences.observation, 0.0)
    dt = np.where(sequences.valid, sequences.dt_s, 1.0)
    for step in range(sequences.observation.shape[1]):
        rows = sequences.valid[:, step]
        if rows.any():
            yield observation[:, step], dt[:, step, None], rows


class _Recorder:
    """Least and greatest value of each tensor, and a sample of each dense operation's input."""

    def __init__(self, program: Program, steps: int, percentile: float) -> None:
        self.steps = 0
        self._percentile = percentile
        self._every = max(1, steps // SAMPLES)
        self._extremes: dict[str, tuple[float, float]] = {}
        self._sources = {operation.output: operation.input for operation in program.dense()}
        unproved = program.sizes.keys() - program.proved.keys() - program.constants.keys()
        self._narrowed = unproved if percentile < 100.0 else set()
        self._kept: dict[str, list[Array]] = {
            name: [] for name in program.sizes if name in self._narrowed | set(self._sources.values())
        }

    def see(self, tensors: Mapping[str, Array], rows: BoolArray) -> None:
        """Record one step of the batch."""
        index = np.flatnonzero(rows)
        for name, values in tensors.items():
            used = values[index] if values.ndim == 2 and len(values) == len(rows) else values
            if used.size:
                low, high = self._extremes.get(name, (np.inf, -np.inf))
                self._extremes[name] = min(low, float(used.min())), max(high, float(used.max()))
        # Every n-th step of all, whichever sequence it belongs to.
        chosen = index[(self.steps + np.arange(len(index))) % self._every == 0]
        if len(chosen):
            for name, kept in self._kept.items():
                kept.append(tensors[name][chosen])
        self.steps += len(index)

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Range of each tensor; percentiles narrow those that are not proved."""
        ranges = dict(self._extremes)
        for name in self._narrowed:
            values = np.concatenate(self._kept[name])
            low, high = np.percentile(values, [100.0 - self._percentile, self._percentile])
            ranges[name] = (float(low), float(high))
        return ranges

    def samples(self) -> dict[str, Array]:
        """The sample of each dense operation's input, by its output."""
        return {output: np.concatenate(self._kept[source]) for output, source in self._sources.items()}


def _run_unit(
    controller: Controller,
    program: Program,
    coordinates: Coordinates,
    sequences: Sequences,
    recorder: _Recorder,
) -> None:
    batch = ProgramBatch(program, saturating(program))
    steps = unit_steps(controller, coordinates, sequences)
    state = np.tile(coordinates.state.to_fraction(controller.reset_state), (len(sequences.observation), 1))
    for step in range(len(steps.dt)):
        rows = sequences.valid[:, step]
        tensors = batch.tensors(steps.observation[step], steps.dt[step], state)
        state = np.where(rows[:, None], tensors[program.outputs[STATE_OUT]], state)
        recorder.see(tensors, rows)
