"""What there is to draw of any cell: its synapses, or, where it has none, all that its weights connect."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import CfCSpec, GatedSpec
from ltc_edge.controller import Controller
from ltc_edge.evaluation.inspection.parts import neurons_of
from ltc_edge.report.circuit import Circuit, Neuron, Synapse, circuit_of


def drawable_circuit(controller: Controller) -> Circuit:
    """The report's circuit of ``controller``, or a dense one of an LSTM, a GRU or a CfC with a backbone."""
    circuit = circuit_of(controller)
    spec = controller.cell
    if circuit.synapses or not isinstance(spec, CfCSpec | GatedSpec):
        return circuit
    weights = _gates(spec, controller) if isinstance(spec, GatedSpec) else _through_backbone(spec, controller)
    inputs, units = spec.inputs, spec.units
    neurons = [Neuron(signal.name, "sensory") for signal in controller.observations]
    neurons += [Neuron(part.name, "inter") for part in neurons_of(controller)]
    neurons += [Neuron(signal.name, "action") for signal in controller.actions if controller.has_readout]
    synapses = list(_connections(weights, 0, inputs))
    if controller.has_readout:
        readout = np.abs(np.asarray(controller.parameters["readout_weight"], dtype=np.float64))
        synapses += _connections(readout, inputs, inputs + units)
    what = "its gates" if isinstance(spec, GatedSpec) else "its heads, along all ways through the backbone"
    return Circuit(
        tuple(neurons),
        tuple(synapses),
        f"{circuit.summary}, every unit hears everything",
        f"A connection is as strong as the largest weight of {what}; no sign is shown.",
    )


def _gates(spec: GatedSpec, controller: Controller) -> FloatArray:
    """Largest weight of any gate, ``(units, inputs + units)``."""
    names = ("weight_ih", "weight_hh")
    both = np.concatenate([np.abs(controller.parameters[name]) for name in names], axis=1)
    weights: FloatArray = both.reshape(-1, spec.units, spec.inputs + spec.units).max(axis=0)
    return weights


def _through_backbone(spec: CfCSpec, controller: Controller) -> FloatArray:
    """Sum over all ways through the backbone, of the head that has most, ``(units, inputs + units)``."""
    heads = np.stack([np.abs(controller.parameters[f"{head}_weight"]) for head in spec.heads()])
    weights = np.asarray(heads, dtype=np.float64)
    for index in reversed(range(len(spec.backbone_shapes()) // 2)):
        weights = weights @ np.abs(controller.parameters[f"backbone_{index}_weight"])
    largest: FloatArray = weights.max(axis=0)
    return largest


def _connections(weights: FloatArray, first_source: int, first_target: int) -> Iterator[Synapse]:
    """Of a matrix ``(targets, sources)``."""
    for target, source in np.argwhere(weights):
        weight = float(weights[target, source])
        yield Synapse(
            first_source + int(source), first_target + int(target), 0, weight, f"weight {weight:.3g}"
        )
