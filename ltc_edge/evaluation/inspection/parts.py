"""The parts of a controller that can be cut, by name: what it senses, its neurons, its synapses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from ltc_edge.arrays import IntArray
from ltc_edge.cells.spec import CellSpec, CfCSpec, LiquidSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.report.circuit import circuit_of
from ltc_edge.wiring import Role, Wiring


class Kind(StrEnum):
    """What kind of part it is."""

    OBSERVATION = "observation"
    NEURON = "neuron"
    SYNAPSE = "synapse"


@dataclass(frozen=True)
class Part:
    """A part.

    Attributes:
        kind: what it is.
        index: its number among its kind; neurons count as in the wiring, synapses as in `synapses_of`.
        name: what to call it.
        role: of a neuron: ``inter``, ``command``, ``motor``, or ``unit`` where cells have no roles.
    """

    kind: Kind
    index: int
    name: str
    role: str = ""


@dataclass(frozen=True, eq=False)
class Synapses:
    """A controller's synapses, sensory ones first, each list in the wiring's order.

    Attributes:
        source: index of the observation, or of the neuron, ``(S,)``.
        target: index of the neuron, ``(S,)``.
        sensory: how many of them are sensory.
    """

    source: IntArray
    target: IntArray
    sensory: int

    def __len__(self) -> int:
        return len(self.source)


def liquid(spec: CellSpec) -> CellSpec:
    """The cell itself, without the memory before it."""
    return spec.cell if isinstance(spec, MixedMemorySpec) else spec


def with_liquid(spec: CellSpec, cell: LiquidSpec) -> CellSpec:
    """``spec`` around another ``cell``."""
    return MixedMemorySpec(cell) if isinstance(spec, MixedMemorySpec) else cell


def wiring_of(spec: CellSpec) -> Wiring | None:
    """The wiring, of a cell that has one: LTC and wired CfC."""
    cell = liquid(spec)
    return cell.wiring if isinstance(cell, LTCSpec | CfCSpec) else None


def synapses_of(spec: CellSpec) -> Synapses:
    """The synapses that can be cut one by one; none of a cell without a wiring.

    Of a wired CfC those from layer to layer: what a layer hears of its own state is no part of its wiring.
    """
    cell, wiring = liquid(spec), wiring_of(spec)
    if wiring is None:
        none = np.zeros(0, dtype=np.int64)
        return Synapses(none, none, 0)
    recurrent = wiring.synapses
    if isinstance(cell, CfCSpec):
        rank = np.array([list(Role).index(role) for role in wiring.roles])
        recurrent = recurrent[rank[recurrent[:, 1]] == rank[recurrent[:, 0]] + 1]
    pairs = np.concatenate([wiring.sensory_synapses, recurrent])
    return Synapses(pairs[:, 0], pairs[:, 1], len(wiring.sensory_synapses))


def state_columns(spec: CellSpec) -> IntArray:
    """The column of the state that holds each neuron, ``(N,)``."""
    cell = liquid(spec)
    if isinstance(cell, CfCSpec) and cell.wiring is not None:
        order = np.concatenate([cell.wiring.neurons(role) for role in Role])
        return np.argsort(order)
    return np.arange(cell.units)


def neurons_of(controller: Controller) -> tuple[Part, ...]:
    """Every neuron by name and role."""
    drawn = circuit_of(controller).neurons[len(controller.observations) :][: controller.cell.units]
    wiring = wiring_of(controller.cell)
    if not drawn or wiring is None:
        return tuple(Part(Kind.NEURON, k, f"unit {k}", "unit") for k in range(controller.cell.units))
    return tuple(
        Part(Kind.NEURON, k, neuron.name if neuron.name.startswith(role) else f"{role} {neuron.name}", role)
        for k, (neuron, role) in enumerate(zip(drawn, map(str, wiring.roles), strict=True))
    )


def parts_of(controller: Controller) -> tuple[Part, ...]:
    """Everything that can be cut: observations, neurons, synapses."""
    return (*observations_of(controller), *neurons_of(controller), *_synapse_parts(controller))


def observations_of(controller: Controller) -> tuple[Part, ...]:
    """Every observation by name."""
    return tuple(Part(Kind.OBSERVATION, k, o.name) for k, o in enumerate(controller.observations))


def _synapse_parts(controller: Controller) -> Iterator[Part]:
    synapses, neurons = synapses_of(controller.cell), neurons_of(controller)
    for k, (source, target) in enumerate(
        zip(synapses.source.tolist(), synapses.target.tolist(), strict=True)
    ):
        heard = controller.observations[source].name if k < synapses.sensory else neurons[source].name
        yield Part(Kind.SYNAPSE, k, f"{heard} → {neurons[target].name}")
