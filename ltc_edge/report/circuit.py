"""The circuit of a controller as something to draw: who listens to whom, how strongly, with what polarity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.cells.spec import CfCSpec, CTRNNSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import Controller
from ltc_edge.report.fields import clean
from ltc_edge.runtimes.reference import softplus
from ltc_edge.wiring import Role, Wiring

Array = npt.NDArray[np.float64]

LAYERS = ("sensory", "inter", "command", "motor", "action")
"""From the sensors to the actuators; ``action`` is there where a readout follows the motor neurons."""


@dataclass(frozen=True)
class Neuron:
    """A sensor, a neuron or an action."""

    name: str
    layer: str


@dataclass(frozen=True)
class Synapse:
    """A connection from neuron ``source`` to neuron ``target``.

    Attributes:
        polarity: +1 excites, −1 inhibits, 0 where the cell's equations give it no single sign.
        strength: above 0, of the cell's own kind.
        detail: the figures, for who asks.
    """

    source: int
    target: int
    polarity: int
    strength: float
    detail: str


@dataclass(frozen=True)
class Circuit:
    """What there is to draw.

    Attributes:
        neurons: sensors first, then neurons, then actions.
        synapses: empty where the cell has none that could be drawn.
        summary: one line: sizes.
        note: what the drawing shows and leaves out.
    """

    neurons: tuple[Neuron, ...]
    synapses: tuple[Synapse, ...]
    summary: str
    note: str

    @property
    def is_layered(self) -> bool:
        """Whether signals mostly go from layer to layer, as in an NCP."""
        layer = {place: LAYERS.index(neuron.layer) for place, neuron in enumerate(self.neurons)}
        backward = sum(layer[s.target] < layer[s.source] for s in self.synapses)
        inside = sum(layer[s.target] == layer[s.source] for s in self.synapses)
        return backward == 0 and 3 * inside <= len(self.synapses)


def circuit_of(controller: Controller) -> Circuit:
    """The circuit of ``controller``; one without synapses where its cell is not made of any."""
    cell = controller.cell
    memory = isinstance(cell, MixedMemorySpec)
    liquid = cell.cell if isinstance(cell, MixedMemorySpec) else cell
    if isinstance(liquid, LTCSpec):
        circuit = _ltc(controller, liquid)
    elif isinstance(liquid, CTRNNSpec):
        circuit = _ctrnn(controller, liquid)
    elif isinstance(liquid, CfCSpec) and liquid.wiring is not None:
        circuit = _wired_cfc(controller, liquid, liquid.wiring)
    else:
        what = "a backbone of shared layers" if isinstance(liquid, CfCSpec) else "gates"
        note = f"This cell computes its {cell.units} units through {what}: it has no synapses to draw."
        circuit = Circuit((), (), f"{liquid.kind} of {cell.units} units", note)
    if not memory:
        return circuit
    before = "An LSTM of the same size gives the state that the cell steps from; its gates are not drawn."
    return Circuit(circuit.neurons, circuit.synapses, circuit.summary, f"{circuit.note} {before}")


def _neurons(controller: Controller, roles: list[str]) -> tuple[Neuron, ...]:
    """Sensors and actions by their names; other neurons by role and number, motor neurons as their action."""
    actions = [clean(action.name) for action in controller.actions]
    neurons = [Neuron(clean(signal.name), "sensory") for signal in controller.observations]
    counts = dict.fromkeys(roles, 0)
    for role in roles:
        serves = role == Role.MOTOR and not controller.has_readout
        neurons.append(Neuron(actions[counts[role]] if serves else f"{role} {counts[role]}", role))
        counts[role] += 1
    if controller.has_readout:
        neurons += [Neuron(name, "action") for name in actions]
    return tuple(neurons)


def _weights(weights: Array, first_source: int, first_target: int, *, sign: bool = True) -> Iterator[Synapse]:
    """Synapses of a matrix ``(targets, sources)`` whose zeros are no synapses."""
    for target, source in np.argwhere(weights):
        weight = float(weights[target, source])
        polarity = int(np.sign(weight)) if sign else 0
        yield Synapse(
            first_source + int(source),
            first_target + int(target),
            polarity,
            abs(weight),
            f"weight {weight:.3g}",
        )


def _readout(controller: Controller, outputs: list[int]) -> Iterator[Synapse]:
    """From the neurons at ``outputs`` to the actions, which come last."""
    if controller.has_readout:
        weights = np.asarray(controller.parameters["readout_weight"], dtype=np.float64)
        first = len(controller.observations) + controller.cell.units
        for synapse in _weights(weights, 0, first):
            yield Synapse(
                outputs[synapse.source], synapse.target, synapse.polarity, synapse.strength, synapse.detail
            )


def _ltc(controller: Controller, spec: LTCSpec) -> Circuit:
    """Conductance times reversal potential is how far a synapse that is fully open pulls its neuron."""
    wiring, parameters = spec.wiring, controller.parameters
    synapses: list[Synapse] = []
    for prefix, pairs, shift in (
        ("sensory_", wiring.sensory_synapses, 0),
        ("", wiring.synapses, wiring.inputs),
    ):
        w = np.asarray(parameters[f"{prefix}w"], dtype=np.float64)
        conductance = softplus(w) if spec.positivity == "softplus" else w
        reversal = np.asarray(parameters[f"{prefix}erev"], dtype=np.float64)
        for (source, target), w_, e in zip(pairs.tolist(), conductance, reversal, strict=True):
            detail = f"conductance {w_:.3g}, reversal potential {e:.3g}"
            synapses.append(
                Synapse(source + shift, target + wiring.inputs, int(np.sign(e)), float(w_ * abs(e)), detail)
            )
    motors = [wiring.inputs + index for index in range(wiring.outputs)]
    synapses += _readout(controller, motors)
    note = (
        "A synapse is as strong as its conductance times its reversal potential, whose sign tells whether it "
        "excites or inhibits."
    )
    return Circuit(
        _neurons(controller, [str(role) for role in wiring.roles]), tuple(synapses), wiring.describe(), note
    )


def _ctrnn(controller: Controller, spec: CTRNNSpec) -> Circuit:
    parameters = {
        name: np.asarray(controller.parameters[name], dtype=np.float64)
        for name in ("input_weight", "recurrent_weight")
    }
    neurons = [spec.inputs + index for index in range(spec.units)]
    synapses = [
        *_weights(parameters["input_weight"], 0, spec.inputs),
        *_weights(parameters["recurrent_weight"], spec.inputs, spec.inputs),
        *_readout(controller, neurons),
    ]
    role = "inter" if controller.has_readout else "motor"
    summary = f"fully connected: {spec.inputs} sensory, {spec.units} neurons"
    note = "A positive weight excites, a negative one inhibits."
    return Circuit(_neurons(controller, [role] * spec.units), tuple(synapses), summary, note)


def _wired_cfc(controller: Controller, spec: CfCSpec, wiring: Wiring) -> Circuit:
    """What a layer hears of the one before; its heads may disagree about the sign."""
    inputs, roles = spec.inputs, [Role.INTER, Role.COMMAND, Role.MOTOR]
    previous = list(range(inputs))
    synapses: list[Synapse] = []
    heads = [head for head in spec.heads() if head.startswith("ff")]
    for index, (role, layer) in enumerate(zip(roles, spec.layers(), strict=True)):
        own = [inputs + int(neuron) for neuron in wiring.neurons(role)]
        assert layer.mask is not None
        weights = np.max(
            [np.abs(controller.parameters[f"layer_{index}_{head}_weight"]) for head in heads], axis=0
        )
        for source, target in np.argwhere(layer.mask[: len(previous)]):
            weight = float(weights[target, source])
            detail = f"largest weight {weight:.3g}"
            synapses.append(Synapse(previous[source], own[target], 0, weight, detail))
        previous = own
    synapses += _readout(controller, previous)
    note = (
        "A connection is as strong as the largest weight of the cell's heads; the heads may "
        "differ in sign, so none is shown. Every layer also hears all of its own state, which is not drawn."
    )
    return Circuit(
        _neurons(controller, [str(role) for role in wiring.roles]), tuple(synapses), wiring.describe(), note
    )
