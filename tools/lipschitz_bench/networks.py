"""Random controllers of every cell, solver and mode, tame and wild."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import get_args

import numpy as np

from ltc_edge import ActionSignal, Controller, ObservationSignal, Scaling, Timing, wiring
from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import (
    SOLVERS,
    Activation,
    CellSpec,
    CfCMode,
    CfCSpec,
    CTRNNSpec,
    GatedSpec,
    LTCSpec,
    MixedMemorySpec,
    Positivity,
)

Draw = Callable[[np.random.Generator], CellSpec]

RANGES = {
    "gleak": (0.001, 1.0),
    "vleak": (-0.2, 0.2),
    "cm": (0.4, 0.6),
    "sigma": (3.0, 8.0),
    "mu": (0.3, 0.8),
}
"""Of an LTC's initial values; a wild one has them up to four times as great."""


def _wiring(rng: np.random.Generator, inputs: int, units: int) -> wiring.Wiring:
    seed = int(rng.integers(1000))
    if rng.random() < 0.5:
        return wiring.dense(inputs, units, 1, seed=seed)
    return wiring.auto_ncp(inputs, units, 1, seed=seed)


def _ltc(solver: str, positivity: str) -> Draw:
    def draw(rng: np.random.Generator) -> LTCSpec:
        wires = _wiring(rng, int(rng.integers(1, 5)), int(rng.integers(4, 9)))
        unfolds, affine = int(rng.integers(1, 7)), bool(rng.random() < 0.8)
        return LTCSpec(wires, solver=solver, unfolds=unfolds, positivity=positivity, affine=affine)  # type: ignore[arg-type]

    return draw


def _cfc(mode: str, activation: str | None) -> Draw:
    def draw(rng: np.random.Generator) -> CfCSpec:
        inputs, units = int(rng.integers(1, 5)), int(rng.integers(4, 9))
        if activation is None:
            wires = wiring.auto_ncp(inputs, units, 1, seed=int(rng.integers(1000)))
            return CfCSpec(inputs, units, wires, mode=mode)  # type: ignore[arg-type]
        width, layers = int(rng.integers(4, 13)), int(rng.integers(0, 3))
        return CfCSpec(inputs, units, None, mode, width, layers, activation)  # type: ignore[arg-type]

    return draw


def _others(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(1, 5)), int(rng.integers(2, 9))


CELLS: dict[str, Draw] = {
    **{f"ltc-{s}-{p}": _ltc(s, p) for s, p in itertools.product(SOLVERS, get_args(Positivity))},
    **{f"cfc-{m}-{a}": _cfc(m, a) for m, a in itertools.product(get_args(CfCMode), get_args(Activation))},
    **{f"cfc-{m}-wired": _cfc(m, None) for m in get_args(CfCMode)},
    "ctrnn": lambda rng: CTRNNSpec(*_others(rng), unfolds=int(rng.integers(1, 7))),
    "lstm": lambda rng: GatedSpec("lstm", *_others(rng)),
    "gru": lambda rng: GatedSpec("gru", *_others(rng)),
    "mixed-ltc": lambda rng: MixedMemorySpec(_ltc("fused", "softplus")(rng)),  # type: ignore[arg-type]
    "mixed-cfc": lambda rng: MixedMemorySpec(_cfc("default", "lecun_tanh")(rng)),  # type: ignore[arg-type]
    "mixed-ctrnn": lambda rng: MixedMemorySpec(CTRNNSpec(*_others(rng))),
}
"""By name, what draws a cell: every solver and positivity, mode and activation."""


def random_controller(name: str, rng: np.random.Generator) -> Controller:
    """A controller with the cell ``name`` of `CELLS` and random parameters, its action without limits."""
    cell = CELLS[name](rng)
    wild = float(rng.choice([1.0, 1.0, 2.0, 4.0]))
    shapes = dict(cell.parameter_shapes())
    actions = cell.outputs
    readout = bool(rng.random() < 0.5) or actions > 4
    if readout:
        actions = int(rng.integers(1, 4))
        shapes |= {"readout_weight": (actions, cell.outputs), "readout_bias": (actions,)}
    inputs = cell.inputs
    return Controller(
        name=name,
        purpose="control",
        observations=tuple(ObservationSignal(f"o{index}") for index in range(inputs)),
        normalizer=Scaling.identity(inputs),
        cell=cell,
        parameters={key: _values(key, shape, wild, rng) for key, shape in shapes.items()},
        actions=tuple(ActionSignal(f"a{index}") for index in range(actions)),
        denormalizer=Scaling.identity(actions),
        timing=Timing(0.02, 0.002, 0.2, 0.02),
        initial_state=np.zeros(cell.state_size),
        fallback=np.zeros(actions),
        clip=float(rng.choice([1.0, np.inf])),
    )


def _values(name: str, shape: tuple[int, ...], wild: float, rng: np.random.Generator) -> FloatArray:
    plain = name.removeprefix("sensory_")
    if plain in RANGES:
        low, high = RANGES[plain]
        return np.asarray(rng.uniform(low, high * wild, size=shape))
    if plain == "w":
        return np.asarray(rng.uniform(0.001, wild, size=shape))
    if plain == "erev":
        return np.asarray(rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.5, 1.5, size=shape))
    fan_in = shape[-1] if len(shape) > 1 else 1
    return np.asarray(rng.normal(size=shape) * wild / np.sqrt(fan_in))
