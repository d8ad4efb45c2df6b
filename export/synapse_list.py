"""The synapse-list form of an LTC controller: what is executed on a device, with nothing left to fold.

Multiplying the fused solver's fraction by dt/L removes the division by dt and bounds every term. With
``S`` synapses listed as (source, target), each sub-step is

    s    = σ(gain · v[source] + bias)                                     (S,)
    v'   = (cm·L·v + dt·(leak_num + ns + s @ W_num)) / (cm·L + dt·(leak_den + ds + s @ W_den))

where ns, ds are the same sums over the sensory synapses, taken once a step. Positivity maps, the cell's
affine maps, the normaliser and the readout are folded into the constants, so a step reads raw sensor
values and gives actions before their limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError

Array = npt.NDArray[np.float64]
EPSILON = 1e-8  # of the fused solver, part of a trained model


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses as lists.

    Attributes:
        source, target: neuron (or input) and neuron of each, ``(S,)``.
        gain, bias: pre-activation ``gain · value[source] + bias``, ``(S,)``.
        numerator, denominator: what a fully active synapse adds to its target's sums, ``(S,)``.
    """

    source: npt.NDArray[np.int64]
    target: npt.NDArray[np.int64]
    gain: Array
    bias: Array
    numerator: Array
    denominator: Array

    def sums(self, values: Array, units: int) -> tuple[Array, Array]:
        """Numerator and denominator sums of every neuron, each ``(units,)``."""
        with np.errstate(over="ignore"):
            activation = 1.0 / (1.0 + np.exp(-(self.gain * values[self.source] + self.bias)))
        numerator, denominator = np.zeros(units), np.zeros(units)
        np.add.at(numerator, self.target, activation * self.numerator)
        np.add.at(denominator, self.target, activation * self.denominator)
        return numerator, denominator


@dataclass(frozen=True)
class Operations:
    """What one step costs, counted from the lists."""

    sigmoids: int
    multiply_accumulates: int
    divisions: int


@dataclass(frozen=True, eq=False)
class SynapseListLTC:
    """An LTC controller without limits, as constants.

    Attributes:
        unfolds: sub-steps ``L``.
        low, high: clip of the raw observation, ``(I,)``; infinite for none.
        sensory, recurrent: the synapses; sensory sources are inputs.
        leak_numerator, leak_denominator: of the leak, the latter with the solver's epsilon, ``(N,)``.
        capacitance: ``cm``, ``(N,)``.
        readout: action = ``readout @ v + offset``, ``(M, N)`` and ``(M,)``.
        time_unit_s: seconds in one unit of the cell's time.
    """

    unfolds: int
    low: Array
    high: Array
    sensory: Synapses
    recurrent: Synapses
    leak_numerator: Array
    leak_denominator: Array
    capacitance: Array
    readout: Array
    offset: Array
    time_unit_s: float

    def step(self, observation: Array, dt_s: float, state: Array) -> tuple[Array, Array]:
        """Action ``(M,)`` before limits, and the next state ``(N,)``."""
        units = len(self.capacitance)
        dt = dt_s / self.time_unit_s
        numerator, denominator = self.sensory.sums(np.clip(observation, self.low, self.high), units)
        numerator += self.leak_numerator
        denominator += self.leak_denominator
        charge = self.capacitance * self.unfolds
        for _ in range(self.unfolds):
            num, den = self.recurrent.sums(state, units)
            # In this form epsilon is multiplied by dt like every other conductance.
            state = (charge * state + dt * (numerator + num)) / (charge + dt * (denominator + den))
        return self.readout @ state + self.offset, state

    def operations(self) -> Operations:
        """Operations of one step: a synapse has three multiply-accumulates, two of them for its sums."""
        synapses = len(self.sensory.source) + self.unfolds * len(self.recurrent.source)
        units = len(self.capacitance)
        per_neuron = 3 * units * self.unfolds
        return Operations(
            sigmoids=synapses,
            multiply_accumulates=3 * synapses + per_neuron + int(np.count_nonzero(self.readout)),
            divisions=units * self.unfolds,
        )


def lower_ltc(controller: Controller) -> SynapseListLTC:
    """The synapse-list form of an LTC controller.

    Raises:
        InputError: the cell is not an LTC with the fused solver.
    """
    spec = controller.cell
    if not isinstance(spec, LTCSpec) or spec.solver != "fused":
        raise InputError(f"only an LTC with the fused solver has a synapse-list form, not {spec.kind}")
    p = {name: array.astype(np.float64) for name, array in controller.parameters.items()}
    for name in ("w", "sensory_w", "cm", "gleak"):
        if spec.positivity == "softplus":
            p[name] = np.logaddexp(0.0, p[name])
    # x = input_w · (observation − offset) / scale + input_b, folded into each sensory synapse.
    scale, offset = controller.normalizer.scale, controller.normalizer.offset
    input_gain = p.get("input_w", np.ones(spec.inputs)) / scale
    input_bias = p.get("input_b", np.zeros(spec.inputs)) - input_gain * offset
    recurrent, sensory = spec.wiring.synapses, spec.wiring.sensory_synapses
    source = sensory[:, 0]
    clip = controller.input_limit * scale
    readout, constant = _folded_readout(controller, spec, p)
    return SynapseListLTC(
        unfolds=spec.unfolds,
        low=offset - clip,
        high=offset + clip,
        sensory=Synapses(
            source,
            sensory[:, 1],
            gain=p["sensory_sigma"] * input_gain[source],
            bias=p["sensory_sigma"] * (input_bias[source] - p["sensory_mu"]),
            numerator=p["sensory_w"] * p["sensory_erev"],
            denominator=p["sensory_w"],
        ),
        recurrent=Synapses(
            recurrent[:, 0],
            recurrent[:, 1],
            gain=p["sigma"],
            bias=-p["sigma"] * p["mu"],
            numerator=p["w"] * p["erev"],
            denominator=p["w"],
        ),
        leak_numerator=p["gleak"] * p["vleak"],
        leak_denominator=p["gleak"] + EPSILON,
        capacitance=p["cm"],
        readout=readout,
        offset=constant,
        time_unit_s=controller.timing.time_unit_s,
    )


def _folded_readout(controller: Controller, spec: LTCSpec, p: dict[str, Array]) -> tuple[Array, Array]:
    """Motor affine map, linear readout and denormaliser as one affine map of the state."""
    matrix = np.zeros((spec.outputs, spec.units))
    matrix[np.arange(spec.outputs), np.arange(spec.outputs)] = p.get("output_w", np.ones(spec.outputs))
    constant = p.get("output_b", np.zeros(spec.outputs))
    if controller.has_readout:
        matrix, constant = p["readout_weight"] @ matrix, p["readout_weight"] @ constant + p["readout_bias"]
    scale, offset = controller.denormalizer.scale, controller.denormalizer.offset
    return scale[:, None] * matrix, scale * constant + offset
