"""The reference: a controller in float64 NumPy, written from the equations and sharing no code with torch.

It is the oracle that every other runtime is compared with, so it prefers the textbook form to speed:
an LTC's synapses stand in full N×N arrays. It runs ``B`` independent states at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import (
    CellSpec,
    CfCSpec,
    CTRNNSpec,
    GatedSpec,
    LTCSpec,
    MixedMemorySpec,
)
from ltc_edge.controller import Controller
from ltc_edge.runtimes.stepper import check_state, check_step_input

Array = npt.NDArray[np.float64]
Parameters = Mapping[str, Array]
CellStep = Callable[[Array, Array, Array], tuple[Array, Array]]
"""(inputs (B, I), state (B, S), timespan (B, 1)) → (outputs (B, O), next state (B, S))."""
SynapticSums = Callable[[Array], tuple[Array, Array]]
"""Potentials or inputs (B, sources) → sums over an LTC's synapses (B, N each): numerator, denominator."""


class ReferenceBatch:
    """A controller over ``B`` independent states: `reset` then `step`, as in `Stepper` but batched."""

    def __init__(self, controller: Controller) -> None:
        self.controller = controller
        self._parameters: Parameters = {
            name: array.astype(np.float64) for name, array in controller.parameters.items()
        }
        self._cell = reference_cell(controller.cell, self._parameters)
        self._low, self._high = controller.limits
        self.state: Array = controller.reset_state[None, :]

    def reset(self, size: int) -> None:
        """Start ``size`` new episodes."""
        self.state = np.tile(self.controller.reset_state, (size, 1))

    def step(self, observation: FloatArray, dt_s: FloatArray) -> Array:
        """Actions ``(B, M)`` for observations ``(B, I)``, ``dt_s`` ``(B,)`` seconds after the last step."""
        outputs, dt, cell_state = self._advance(observation, dt_s)
        action = np.clip(outputs, self._low, self._high)
        if self.controller.is_slew_limited:
            previous = self.state[:, self.controller.cell.state_size :]
            # An infinite slew times dt stays infinite, so unlimited actions pass.
            reach = self.controller.slew * dt
            action = np.clip(action, previous - reach, previous + reach)
            cell_state = np.concatenate([cell_state, action], axis=1)
        self.state = cell_state
        return action

    def _advance(self, observation: FloatArray, dt_s: FloatArray) -> tuple[Array, Array, Array]:
        controller, timing = self.controller, self.controller.timing
        z = (observation - controller.normalizer.offset) / controller.normalizer.scale
        z = np.clip(z, -controller.input_limit, controller.input_limit)
        dt = np.clip(np.asarray(dt_s, dtype=np.float64), timing.dt_min_s, timing.dt_max_s)[:, None]
        cell_state = self.state[:, : controller.cell.state_size]
        outputs, cell_state = self._cell(z, cell_state, dt / timing.time_unit_s)
        if controller.has_readout:
            outputs = outputs @ self._parameters["readout_weight"].T + self._parameters["readout_bias"]
        return controller.denormalizer.offset + controller.denormalizer.scale * outputs, dt, cell_state


class ReferenceStepper:
    """`Stepper` over the reference."""

    def __init__(self, controller: Controller) -> None:
        self._batch = ReferenceBatch(controller)

    @property
    def state(self) -> Array:
        """A copy of the state, ``(state_size,)``."""
        state: Array = self._batch.state[0].copy()
        return state

    def reset(self) -> None:
        """Return to the state before the first step."""
        self._batch.reset(1)

    def restore(self, state: FloatArray) -> None:
        """Go on from ``state``, ``(state_size,)``."""
        self._batch.state = check_state(state, self._batch.controller.state_size)[None]

    def hold(self) -> Any:
        """See `Stepper.hold`."""
        return self.state

    def resume(self, held: Any) -> None:
        """See `Stepper.resume`."""
        self._batch.state = held[None]

    def step(self, observation: FloatArray, dt: float) -> Array:
        """One step; see `Stepper.step`."""
        values = check_step_input(observation, dt, self._batch.controller.cell.inputs)
        action: Array = self._batch.step(values[None, :], np.array([dt]))[0]
        return action


def sigmoid(x: Array) -> Array:
    """The logistic function; tanh keeps it from overflowing at either end."""
    result: Array = 0.5 * (1.0 + np.tanh(0.5 * x))
    return result


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    result: Array = np.logaddexp(0.0, x)
    return result


def reference_cell(spec: CellSpec, parameters: Parameters) -> CellStep:
    """One step of the cell ``spec`` with ``parameters`` in float64."""
    if isinstance(spec, MixedMemorySpec):
        return mixed_memory_step(spec, parameters, reference_cell(spec.cell, parameters))
    if isinstance(spec, LTCSpec):
        return _ltc(spec, parameters)
    if isinstance(spec, CfCSpec):
        return _cfc(spec, parameters)
    if isinstance(spec, CTRNNSpec):
        return _ctrnn(spec, parameters)
    return _lstm(spec, parameters) if spec.kind == "lstm" else _gru(parameters)


def _ltc(spec: LTCSpec, parameters: Parameters) -> CellStep:
    p = positivity(spec)
    wiring = spec.wiring

    def full(prefix: str, synapses: npt.NDArray[np.int64], shape: tuple[int, int]) -> dict[str, Array]:
        """Synapse lists as (source, target) arrays; where there is no synapse, w is 0."""
        arrays = {}
        for name in ("w", "sigma", "mu", "erev"):
            arrays[name] = np.zeros(shape)
            values = parameters[f"{prefix}{name}"]
            arrays[name][synapses[:, 0], synapses[:, 1]] = p(values) if name == "w" else values
        return arrays

    def sums(arrays: Mapping[str, Array]) -> SynapticSums:
        def of(source: Array) -> tuple[Array, Array]:
            activation = arrays["w"] * sigmoid(arrays["sigma"] * (source[:, :, None] - arrays["mu"]))
            return (activation * arrays["erev"]).sum(axis=1), activation.sum(axis=1)

        return of

    inner = full("", wiring.synapses, wiring.recurrent.shape)
    outer = full("sensory_", wiring.sensory_synapses, wiring.sensory.shape)
    return ltc_step(spec, parameters, sums(inner), sums(outer))


def positivity(spec: LTCSpec) -> Callable[[Array], Array]:
    """What makes a conductance of a parameter."""
    return softplus if spec.positivity == "softplus" else lambda value: value


def ltc_step(
    spec: LTCSpec,
    parameters: Parameters,
    inner: SynapticSums,
    outer: SynapticSums,
    hold: Callable[[Array], Array] = lambda v: v,
) -> CellStep:
    """One step of an LTC whose synapses are summed by others.

    MATH: Hasani et al., AAAI 2021, arXiv 2006.04439.

    Args:
        spec: the cell.
        parameters: its leaks, capacities and affine maps.
        inner, outer: of the recurrent and of the sensory synapses.
        hold: what becomes of the potentials ``(B, N)`` at the end of a step.
    """
    p = positivity(spec)
    gleak, cm, vleak = p(parameters["gleak"]), p(parameters["cm"]), parameters["vleak"]

    def fused(v: Array, ns: Array, ds: Array, h: Array) -> Array:
        c = cm / h
        num, den = inner(v)
        return (c * v + gleak * vleak + num + ns) / (c + gleak + den + ds + 1e-8)

    def exponential(v: Array, ns: Array, ds: Array, h: Array) -> Array:
        num, den = inner(v)
        conductance = gleak + den + ds + 1e-8
        return v - np.expm1(-h * conductance / cm) * ((gleak * vleak + num + ns) / conductance - v)

    def derivative(v: Array, ns: Array, ds: Array) -> Array:
        num, den = inner(v)
        return (gleak * (vleak - v) + num + ns - (den + ds) * v) / cm

    def euler(v: Array, ns: Array, ds: Array, h: Array) -> Array:
        return v + h * derivative(v, ns, ds)

    def rk4(v: Array, ns: Array, ds: Array, h: Array) -> Array:
        k1 = derivative(v, ns, ds)
        k2 = derivative(v + h / 2 * k1, ns, ds)
        k3 = derivative(v + h / 2 * k2, ns, ds)
        k4 = derivative(v + h * k3, ns, ds)
        return v + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    method = {"fused": fused, "exponential": exponential, "euler": euler, "rk4": rk4}[spec.solver]

    def step(x: Array, v: Array, timespan: Array) -> tuple[Array, Array]:
        if spec.affine:
            x = parameters["input_w"] * x + parameters["input_b"]
        ns, ds = outer(x)
        for _ in range(spec.unfolds):
            v = method(v, ns, ds, timespan / spec.unfolds)
        v = hold(v)
        y = v[:, : spec.outputs]
        return (y * parameters["output_w"] + parameters["output_b"] if spec.affine else y), v

    return step


def gelu(x: Array) -> Array:
    """x·Φ(x), with the normal distribution's Φ."""
    from math import erf, sqrt

    erf_of: Array = np.vectorize(erf, otypes=[np.float64])(x / sqrt(2.0))
    return 0.5 * x * (1.0 + erf_of)


_ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "lecun_tanh": lambda x: 1.7159 * np.tanh(0.666 * x),
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "silu": lambda x: x * sigmoid(x),
    "gelu": gelu,
}


def _cfc(spec: CfCSpec, parameters: Parameters) -> CellStep:
    """MATH: Hasani et al., Nature Machine Intelligence 2022, arXiv 2106.13898."""
    layers = spec.layers()

    def head(prefix: str, name: str, z: Array) -> Array:
        return z @ parameters[f"{prefix}{name}_weight"].T + parameters[f"{prefix}{name}_bias"]

    def cell(prefix: str, x: Array, h: Array, t: Array) -> Array:
        z = np.concatenate([x, h], axis=1)
        for index in range(len(spec.backbone_shapes()) // 2):
            z = _ACTIVATIONS[spec.activation](head(f"backbone_{index}", "", z))
        f1 = head(prefix, "ff1", z)
        if spec.mode == "pure":
            a = parameters[f"{prefix}A"]
            decay: Array = np.exp(-t * (np.abs(parameters[f"{prefix}w_tau"]) + np.abs(f1)))
            return a - a * decay * f1
        f1, f2 = np.tanh(f1), np.tanh(head(prefix, "ff2", z))
        g = sigmoid(head(prefix, "time_a", z) * t + head(prefix, "time_b", z))
        return f1 + g * f2 if spec.mode == "no_gate" else f1 * (1.0 - g) + g * f2

    def step(x: Array, state: Array, timespan: Array) -> tuple[Array, Array]:
        following, start = [], 0
        for index, layer in enumerate(layers):
            own = state[:, start : start + layer.units]
            x = cell("" if spec.wiring is None else f"layer_{index}_", x, own, timespan)
            following.append(x)
            start += layer.units
        return x, np.concatenate(following, axis=1)

    return step


def _ctrnn(spec: CTRNNSpec, parameters: Parameters) -> CellStep:
    """MATH: τ dh/dt = −h + tanh(W_in x + W_rec h + b), semi-implicit sub-steps."""
    tau = softplus(parameters["tau"])

    def step(x: Array, h: Array, timespan: Array) -> tuple[Array, Array]:
        ratio = timespan / spec.unfolds / tau
        for _ in range(spec.unfolds):
            f = np.tanh(
                x @ parameters["input_weight"].T + h @ parameters["recurrent_weight"].T + parameters["bias"]
            )
            h = (h + ratio * f) / (1.0 + ratio)
        return h, h

    return step


def _gates(parameters: Parameters, x: Array, timespan: Array) -> Array:
    return x @ parameters["weight_ih"].T + parameters["bias_ih"] + (timespan - 1.0) * parameters["weight_dt"]


def _lstm(spec: GatedSpec, parameters: Parameters) -> CellStep:
    def step(x: Array, state: Array, timespan: Array) -> tuple[Array, Array]:
        h, c = state[:, : spec.units], state[:, spec.units :]
        gates = _gates(parameters, x, timespan) + h @ parameters["weight_hh"].T + parameters["bias_hh"]
        i, f, g, o = np.split(gates, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        return h, np.concatenate([h, c], axis=1)

    return step


def _gru(parameters: Parameters) -> CellStep:
    def step(x: Array, h: Array, timespan: Array) -> tuple[Array, Array]:
        r_in, z_in, n_in = np.split(_gates(parameters, x, timespan), 3, axis=1)
        r_rec, z_rec, n_rec = np.split(h @ parameters["weight_hh"].T + parameters["bias_hh"], 3, axis=1)
        z = sigmoid(z_in + z_rec)
        n = np.tanh(n_in + sigmoid(r_in + r_rec) * n_rec)
        h = (1.0 - z) * n + z * h
        return h, h

    return step


def mixed_memory_step(spec: MixedMemorySpec, parameters: Parameters, inner: CellStep) -> CellStep:
    """One step of the memory and then of the cell after it, ``inner``.

    MATH: Lechner & Hasani, arXiv 2006.04418; the forget gate has a bias of +1.
    """
    units = spec.units

    def step(x: Array, state: Array, timespan: Array) -> tuple[Array, Array]:
        h, c = state[:, :units], state[:, units:]
        gates = x @ parameters["memory_input_weight"].T + h @ parameters["memory_recurrent_weight"].T
        g, i, f, o = np.split(gates + parameters["memory_bias"], 4, axis=1)
        c = c * sigmoid(f + 1.0) + np.tanh(g) * sigmoid(i)
        y, h = inner(x, np.tanh(c) * sigmoid(o), timespan)
        return y, np.concatenate([h, c], axis=1)

    return step
