"""An LTC over whole sequences in NumPy, and its gradients by complex steps: the oracle of the kernels.

It is written from the equations, as `docs/kernels.md` has them, and knows nothing of how the kernels derive
theirs. With f analytic, f'(x) = Im f(x + ih) / h holds to the last bits for h as small as one likes: nothing
is subtracted (Squire & Trapp, SIAM Review 1998). All perturbations of an array are computed side by side,
along a leading axis P.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Values = Mapping[str, Array]

SEQUENCES = ("inputs", "state", "timespans", "gates")
"""Values that each sequence has its own of, and a gradient for; all but the state have an axis of steps."""
STEP = 1e-40
EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class Circuit:
    """The circuit and its solver; synapses ``(S, 2)`` are pairs of source and target, ordered."""

    inputs: int
    units: int
    outputs: int
    synapses: Array
    sensory: Array
    solver: str = "fused"
    unfolds: int = 3
    softplus: bool = True
    affine: bool = True


def sigmoid(x: Array) -> Array:
    """The logistic function."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


def run(circuit: Circuit, values: Values) -> tuple[Array, Array]:
    """Outputs ``(..., B, T, M)`` and the last state ``(..., B, N)``, with a memory ``(..., B, 2N)``.

    ``values`` holds the parameters, the sequences and perhaps ``timespans``, ``forced``, and for a memory
    ``gates`` and ``recurrent``, as the kernel's header has them, each perhaps with the axis P in front.
    """
    units, length = circuit.units, values["inputs"].shape[-2]
    step = _stepper(circuit, values)
    state, outputs = values["state"], []
    for t in range(length):
        span = values["timespans"][..., t, None] if "timespans" in values else np.ones(1)
        if "gates" in values:
            hidden, memory = _remember(values["recurrent"], values["gates"][..., t, :], state, units)
            after = step(values["inputs"][..., t, :], hidden, span)
            state = np.concatenate([after, memory + np.zeros_like(after)], axis=-1)
        else:
            state = step(values["inputs"][..., t, :], state, span)
        if "forced" in values:
            # Straight through: another value, with the derivative of the one that it replaces.
            state = values["forced"][:, t] + 1j * np.imag(state)
        motor = state[..., : circuit.outputs]
        if circuit.affine:
            motor = motor * values["output_w"][..., None, :] + values["output_b"][..., None, :]
        outputs.append(motor)
    batch = values["inputs"].shape[-3]
    return (np.stack(outputs, axis=-2) if outputs else np.zeros((batch, 0, circuit.outputs))), state


def gradients(circuit: Circuit, values: Values, output_weight: Array, last_weight: Array) -> dict[str, Array]:
    """Gradients of Σ outputs · output_weight + Σ last · last_weight for all values but ``forced``."""

    def slopes(name: str, shape: tuple[int, ...]) -> Array:
        """Of each sequence's share, ``(P, B)``, for each of the P numbers of ``shape``."""
        count = int(np.prod(shape))
        directions = np.eye(count).reshape(count, *([1] if name in SEQUENCES else []), *shape)
        outputs, last = run(circuit, {**values, name: values[name] + 1j * STEP * directions})
        share = (outputs * output_weight).sum(axis=(-2, -1)) + (last * last_weight).sum(axis=-1)
        return np.broadcast_to(np.imag(share) / STEP, (count, len(values["inputs"])))

    found = {}
    for name, value in values.items():
        if name in SEQUENCES:
            found[name] = slopes(name, value.shape[1:]).T.reshape(value.shape)
        elif name != "forced":
            found[name] = slopes(name, value.shape).sum(axis=1).reshape(value.shape)
    return found


def _stepper(circuit: Circuit, values: Values) -> Any:
    """The step of the cell: (inputs, state, timespan) → state."""

    def positive(name: str) -> Array:
        raw = values[name][..., None, :]
        return np.log1p(np.exp(raw)) if circuit.softplus else raw

    gleak, cm, vleak = positive("gleak"), positive("cm"), values["vleak"][..., None, :]
    inner = _Synapses(values, "", circuit.synapses, positive("w"), circuit.units)
    outer = _Synapses(values, "sensory_", circuit.sensory, positive("sensory_w"), circuit.units)
    method = {"fused": _fused, "exponential": _exponential, "euler": _euler, "rk4": _rk4}[circuit.solver]

    def step(x: Array, v: Array, span: Array) -> Array:
        if circuit.affine:
            x = x * values["input_w"][..., None, :] + values["input_b"][..., None, :]
        numerator, denominator = outer.sums(x)
        numerator, denominator = numerator + gleak * vleak, denominator + gleak

        def sums(u: Array) -> tuple[Array, Array]:
            inner_numerator, inner_denominator = inner.sums(u)
            return inner_numerator + numerator, inner_denominator + denominator

        for _ in range(circuit.unfolds):
            v = method(sums, v, span / circuit.unfolds, cm)
        return v

    return step


class _Synapses:
    def __init__(self, values: Values, prefix: str, pairs: Array, w: Array, units: int) -> None:
        self.source, self.w = pairs[:, 0], w
        self.sigma, self.mu, self.erev = (
            values[prefix + name][..., None, :] for name in ("sigma", "mu", "erev")
        )
        self.onto = np.zeros((len(pairs), units))
        self.onto[np.arange(len(pairs)), pairs[:, 1]] = 1.0

    def sums(self, u: Array) -> tuple[Array, Array]:
        """What their targets hear: of conductance times reversal potential, and of conductance."""
        conductance = self.w * sigmoid(self.sigma * (u[..., self.source] - self.mu))
        return (conductance * self.erev) @ self.onto, conductance @ self.onto


def _fused(sums: Any, v: Array, h: Array, cm: Array) -> Array:
    numerator, denominator = sums(v)
    return np.asarray((cm / h * v + numerator) / (cm / h + denominator + EPSILON))


def _exponential(sums: Any, v: Array, h: Array, cm: Array) -> Array:
    numerator, denominator = sums(v)
    denominator = denominator + EPSILON
    return np.asarray(v - np.expm1(-h / cm * denominator) * (numerator / denominator - v))


def _slope(sums: Any, v: Array, cm: Array) -> Array:
    numerator, denominator = sums(v)
    return np.asarray((numerator - denominator * v) / cm)


def _euler(sums: Any, v: Array, h: Array, cm: Array) -> Array:
    return v + h * _slope(sums, v, cm)


def _rk4(sums: Any, v: Array, h: Array, cm: Array) -> Array:
    k1 = _slope(sums, v, cm)
    k2 = _slope(sums, v + h / 2 * k1, cm)
    k3 = _slope(sums, v + h / 2 * k2, cm)
    k4 = _slope(sums, v + h * k3, cm)
    return v + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _remember(recurrent: Array, gates: Array, state: Array, units: int) -> tuple[Array, Array]:
    """The LSTM memory's step: hidden state and memory."""
    hidden, memory = state[..., :units], state[..., units:]
    g, i, f, o = np.split(gates + hidden @ np.swapaxes(recurrent, -1, -2), 4, axis=-1)
    memory = sigmoid(f + 1.0) * memory + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(memory), memory
