"""Many copies of a controller at once, each with parts of it held: experiments, not observations.

A part that is held goes on transmitting what it does on average, and no more: its signal is cut and its mean
is not, so that what is seen is what the signal was for.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CellSpec, CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.inspection.means import Means
from ltc_edge.evaluation.inspection.parts import Kind, Part, state_columns, synapses_of
from ltc_edge.runtimes.reference import (
    Array,
    CellStep,
    Parameters,
    ReferenceBatch,
    SynapticSums,
    ltc_step,
    mixed_memory_step,
    positivity,
    reference_cell,
    sigmoid,
)


@dataclass(frozen=True, eq=False)
class Hold:
    """Values ``(B, K)`` of which some are held: ``free`` is 1 where they are not, ``value`` 0 there.

    Both are single numbers where none is held anywhere, as in `NOTHING`.
    """

    free: Array
    value: Array

    @classmethod
    def of(cls, means: FloatArray, held: Sequence[int | None]) -> Hold:
        """In each row none of the values ``(K,)`` is held at its mean, or one is."""
        free = np.ones((len(held), len(means)))
        for row, index in enumerate(held):
            if index is not None:
                free[row, index] = 0.0
        return cls(free, (1.0 - free) * means.astype(np.float64))

    def __call__(self, values: Array) -> Array:
        """``values`` with the held ones replaced."""
        result: Array = values * self.free + self.value
        return result

    def columns(self, first: int, count: int) -> Hold:
        """The holds of ``count`` of the values."""
        if not self.free.ndim:
            return self
        return Hold(self.free[:, first : first + count], self.value[:, first : first + count])


NOTHING = Hold(np.ones(()), np.zeros(()))


@dataclass(frozen=True, eq=False)
class Holds:
    """What is held in ``B`` rows: observations, the neurons of the state in its order, synapses."""

    observation: Hold
    neuron: Hold
    synapse: Hold


def holds(controller: Controller, means: Means, cut: Sequence[Part | None], copies: int = 1) -> Holds:
    """One part a row is cut, or none; rows go part by part, ``copies`` of each.

    A synapse can be held so in an LTC alone; see `removal` for a CfC's.
    """
    rows = [part for part in cut for _ in range(copies)]
    columns = state_columns(controller.cell)

    def held(kind: Kind) -> list[int | None]:
        return [part.index if part is not None and part.kind is kind else None for part in rows]

    neurons = [None if index is None else int(columns[index]) for index in held(Kind.NEURON)]
    return Holds(
        Hold.of(means.observation, held(Kind.OBSERVATION)),
        Hold.of(means.state[: controller.cell.units], neurons),
        Hold.of(means.synapse, held(Kind.SYNAPSE)),
    )


class HeldBatch(ReferenceBatch):
    """The float64 reference over as many rows as ``held`` has."""

    def __init__(self, controller: Controller, held: Holds) -> None:
        super().__init__(controller)
        self._held = held
        self._cell = _held_cell(controller.cell, self._parameters, held)

    def reset(self, size: int) -> None:
        """Start new episodes, neurons held from the first step on."""
        super().reset(size)
        self.go_on(self.state)

    def go_on(self, state: Array) -> None:
        """Go on from states ``(B, state_size)``."""
        units = self.controller.cell.units
        self.state = np.concatenate([self._held.neuron(state[:, :units]), state[:, units:]], axis=1)

    def step(self, observation: FloatArray, dt_s: FloatArray) -> Array:
        """One step of every row."""
        return super().step(self._held.observation(observation.astype(np.float64)), dt_s)


def _held_cell(spec: CellSpec, parameters: Parameters, held: Holds) -> CellStep:
    if isinstance(spec, MixedMemorySpec):
        return mixed_memory_step(spec, parameters, _held_cell(spec.cell, parameters, held))
    if isinstance(spec, LTCSpec):
        return _held_ltc(spec, parameters, held)
    if isinstance(spec, CfCSpec) and spec.wiring is not None:
        return _held_layers(spec, parameters, held)
    if isinstance(spec, CTRNNSpec):
        return _held_ctrnn(spec, parameters, held)
    whole = reference_cell(spec, parameters)
    units = spec.units

    def step(x: Array, state: Array, timespan: Array) -> tuple[Array, Array]:
        _, state = whole(x, state, timespan)
        outputs = held.neuron(state[:, :units])
        return outputs, np.concatenate([outputs, state[:, units:]], axis=1)

    return step


def _held_ltc(spec: LTCSpec, parameters: Parameters, held: Holds) -> CellStep:
    """Synapses in lists, so that many rows are quick."""
    conductance = positivity(spec)
    synapses = synapses_of(spec)

    def sums(prefix: str, first: int, count: int, sources_held: Hold | None) -> SynapticSums:
        sigma, mu = parameters[f"{prefix}sigma"], parameters[f"{prefix}mu"]
        source, target = synapses.source[first : first + count], synapses.target[first : first + count]
        w, hold = conductance(parameters[f"{prefix}w"]), held.synapse.columns(first, count)
        to = np.zeros((count, spec.units))
        to[np.arange(count), target] = w
        numerator = to * parameters[f"{prefix}erev"][:, None]

        def of(values: Array) -> tuple[Array, Array]:
            heard = values if sources_held is None else sources_held(values)
            s = hold(sigmoid(sigma * (heard[:, source] - mu)))
            return s @ numerator, s @ to

        return of

    first = synapses.sensory
    inner = sums("", first, len(synapses) - first, held.neuron)
    return ltc_step(spec, parameters, inner, sums("sensory_", 0, first, None), held.neuron)


def _held_layers(spec: CfCSpec, parameters: Parameters, held: Holds) -> CellStep:
    """Layer after layer, each heard as it is held; a layer is an unwired cell without a backbone."""
    layers = []
    for index, layer in enumerate(spec.layers()):
        prefix = f"layer_{index}_"
        own = {n.removeprefix(prefix): array for n, array in parameters.items() if n.startswith(prefix)}
        alone = CfCSpec(layer.inputs, layer.units, mode=spec.mode, backbone_layers=0)
        layers.append((layer.units, reference_cell(alone, own)))

    def step(x: Array, state: Array, timespan: Array) -> tuple[Array, Array]:
        following, start = [], 0
        for units, cell in layers:
            x = held.neuron.columns(start, units)(cell(x, state[:, start : start + units], timespan)[0])
            following.append(x)
            start += units
        return x, np.concatenate(following, axis=1)

    return step


def _held_ctrnn(spec: CTRNNSpec, parameters: Parameters, held: Holds) -> CellStep:
    """Held after every sub-step: neurons hear each other in between."""
    sub_step = reference_cell(dataclasses.replace(spec, unfolds=1), parameters)

    def step(x: Array, h: Array, timespan: Array) -> tuple[Array, Array]:
        for _ in range(spec.unfolds):
            h = held.neuron(sub_step(x, h, timespan / spec.unfolds)[1])
        return h, h

    return step
