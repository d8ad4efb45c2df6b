"""Compare a library of kernels with NumPy: `check_against_numpy.py [LIBRARY]`, by default the package's own.

It needs neither torch nor pytest, so that a library for another processor can be checked under an emulator.
NumPy takes most of the time there: `--write FILE` keeps what it computes, and `--expected FILE` reads that.
Every instruction set, in both precisions, with the trace kept and with steps computed again: one line each.
The exit code is 1 where anything is further off than `TOLERANCE`.
"""

from __future__ import annotations

import argparse
import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from numpy_ltc import Array, Circuit, gradients, run

from ltc_edge.kernels import binding
from ltc_edge.kernels.library import instruction_set, instruction_sets, load_or_raise, open_library

TOLERANCE = {"f32": 1e-5, "f64": 1e-10}
TYPES = {"f32": np.float32, "f64": np.float64}
KEEP = 1 << 40
THREADS = 2
ALIGNMENT = 64  # of a trace


@dataclass(frozen=True, eq=False)
class Case:
    """A circuit, and the sequences that it is run over."""

    name: str
    circuit: Circuit
    batch: int
    length: int
    timespans: bool = True
    forced: bool = False
    memory: bool = False
    sigma: float = 5.0


def circuit_of(synapses: Array, sensory: Array, outputs: int = 2, **options: object) -> Circuit:
    """The circuit of two 0/1 matrices, source × target."""
    inputs, units = sensory.shape
    return Circuit(inputs, units, outputs, np.argwhere(synapses), np.argwhere(sensory), **options)  # type: ignore[arg-type]


def cases() -> Iterator[Case]:
    """Every solver and option; batches of several tiles, lengths of several segments, and of nothing."""
    rng = np.random.default_rng(0)
    sparse = circuit_of(rng.random((6, 6)) < 0.4, rng.random((3, 6)) < 0.5)
    dense = circuit_of(np.ones((4, 4)), np.ones((2, 4)), unfolds=2)
    for solver in binding.SOLVERS:
        yield Case(f"{solver}, sparse", replace(sparse, solver=solver), 5, 4)
        clamped = replace(dense, solver=solver, softplus=False, affine=False)
        yield Case(f"{solver}, dense, clamp", clamped, 3, 3, timespans=False)
        yield Case(f"{solver}, forced", replace(dense, solver=solver), 2, 3, forced=True)
        yield Case(f"{solver}, memory", replace(dense, solver=solver), 2, 3, memory=True)
        yield Case(f"{solver}, memory, forced", replace(dense, solver=solver), 2, 3, forced=True, memory=True)
    for batch in (1, 8, 17, 37, 65):
        yield Case(f"batch {batch}", replace(dense, unfolds=1), batch, 2)
    for length in (0, 1, 37):
        yield Case(f"length {length}", replace(dense, unfolds=1), 2, length)
    yield Case("no sequences", dense, 0, 3)
    yield Case("6 unfolds", replace(sparse, unfolds=6), 2, 2)
    yield Case("steep synapses", replace(dense, solver="exponential"), 3, 3, sigma=60.0)
    nothing = np.zeros((4, 4))
    yield Case("no recurrent synapses", circuit_of(nothing, np.ones((2, 4))), 2, 3)
    yield Case("no sensory synapses", circuit_of(np.ones((4, 4)), nothing[:2]), 2, 3)
    yield Case("no synapses", circuit_of(nothing, nothing[:2]), 2, 3)
    chain = np.eye(4, k=1)  # neuron 0 hears nobody, neuron 3 tells nobody
    yield Case("a chain", circuit_of(chain, nothing[:1]), 2, 3)


def rounded(values: Array) -> Array:
    """What float32 can hold, in float64: one reference serves both precisions."""
    return values.astype(np.float32).astype(np.float64)


def draw(case: Case) -> dict[str, Array]:
    """Parameters as they are initialised, a little shaken, and sequences."""
    rng, circuit = np.random.default_rng(1), case.circuit
    units, batch, length = circuit.units, case.batch, case.length
    states = (2 if case.memory else 1) * units
    values = {"gleak": rng.uniform(0.1, 1, units), "vleak": rng.uniform(-0.2, 0.2, units)}
    values["cm"] = rng.uniform(0.4, 0.6, units)
    for prefix, count in (("", len(circuit.synapses)), ("sensory_", len(circuit.sensory))):
        values[prefix + "w"] = rng.uniform(0.1, 1, count)
        values[prefix + "sigma"] = rng.uniform(0.6, 1.6, count) * case.sigma
        values[prefix + "mu"] = rng.uniform(0.3, 0.8, count)
        values[prefix + "erev"] = rng.uniform(-1, 1, count)
    if circuit.affine:
        for name, count in (("input", circuit.inputs), ("output", circuit.outputs)):
            values[name + "_w"], values[name + "_b"] = rng.uniform(0.5, 2, count), rng.uniform(-1, 1, count)
    values["inputs"] = rng.normal(size=(batch, length, circuit.inputs))
    values["state"] = rng.normal(size=(batch, states)) / 2
    if case.timespans:
        values["timespans"] = rng.uniform(0.1, 0.4, (batch, length))
    if case.forced:
        values["forced"] = rng.normal(size=(batch, length, states)) / 2
    if case.memory:
        values["gates"] = rng.normal(size=(batch, length, 4 * units))
        values["recurrent"] = rng.normal(size=(4 * units, units)) / 2
    return {name: rounded(value) for name, value in values.items()}


class Kernels:
    """A loaded library, and calls of it with NumPy's arrays."""

    def __init__(self, path: Path | None) -> None:
        self.library = load_or_raise() if path is None else open_library(path)
        binding.declare(self.library)

    def run(
        self, case: Case, values: dict[str, Array], weights: tuple[Array, Array], size: str, most: int
    ) -> dict[str, Array]:
        """Outputs, last state and all gradients, as `gradients` names them."""
        circuit, dtype = case.circuit, TYPES[size]
        values = {name: value.astype(dtype) for name, value in values.items()}
        pairs = [np.ascontiguousarray(each.T, dtype=np.int32) for each in (circuit.synapses, circuit.sensory)]
        solver = binding.SOLVERS.index(circuit.solver), circuit.unfolds, circuit.softplus, circuit.affine
        sizes = circuit.inputs, circuit.units, circuit.outputs, *map(len, (circuit.synapses, circuit.sensory))
        rows = (row.ctypes.data for pair in pairs for row in pair)
        c_circuit = binding.Circuit(*sizes, *solver, *rows)
        sequences = binding.Sequences(case.batch, case.length)
        for name in ("inputs", "timespans", "state", "forced", "gates", "recurrent"):
            setattr(sequences, name, address(values.get(name)))
        found = {
            "outputs": np.full((case.batch, case.length, circuit.outputs), np.nan, dtype),
            "last": np.full_like(values["state"], np.nan),
        }
        found |= {
            f"gradient of {name}": np.full_like(value, np.nan)
            for name, value in values.items()
            if name != "forced"
        }
        sequences.outputs, sequences.last = found["outputs"].ctypes.data, found["last"].ctypes.data
        itemsize = np.dtype(dtype).itemsize
        sequences.trace_bytes = self.library.ltc_edge_ltc_trace(c_circuit, sequences, itemsize, most)
        room = np.empty(sequences.trace_bytes + ALIGNMENT, np.uint8)
        sequences.trace = room.ctypes.data + -room.ctypes.data % ALIGNMENT
        parameters = binding.parameters([address(values.get(name)) for name in binding.NAMES])
        forward, backward = (
            getattr(self.library, f"ltc_edge_ltc_{name}_{size}") for name in ("forward", "backward")
        )
        binding.check(forward(c_circuit, parameters, sequences, THREADS))
        weights = tuple(weight.astype(dtype) for weight in weights)  # type: ignore[assignment]
        names = ("inputs", "timespans", "state", "gates", "recurrent")
        wanted = [address(found.get(f"gradient of {name}")) for name in names]
        given = binding.Gradients(*map(address, weights), *wanted)
        results = binding.parameters([address(found.get(f"gradient of {name}")) for name in binding.NAMES])
        binding.check(backward(c_circuit, parameters, sequences, given, results, THREADS))
        return found


def address(array: Array | None) -> int | None:
    """Where the kernels find an array."""
    return None if array is None else array.ctypes.data


def distance(found: Array, expected: Array) -> float:
    """Relative in the norm; NaN anywhere is infinitely far."""
    scale = np.linalg.norm(expected.ravel()) or 1.0
    result = np.linalg.norm(found.astype(np.float64).ravel() - expected.ravel()) / scale
    return float(result) if np.isfinite(result) else float("inf")


def weights_of(case: Case, values: dict[str, Array]) -> tuple[Array, Array]:
    """Of the outputs and the last state, in the sum that is differentiated."""
    rng = np.random.default_rng(2)
    outputs = rng.normal(size=(case.batch, case.length, case.circuit.outputs))
    return rounded(outputs), rounded(rng.normal(size=values["state"].shape))


def expected_of(case: Case) -> dict[str, Array]:
    """Outputs, last state and gradients by NumPy."""
    values = draw(case)
    outputs, last = run(case.circuit, values)
    found = gradients(case.circuit, values, *weights_of(case, values))
    return {"outputs": outputs, "last": last} | {f"gradient of {name}": x for name, x in found.items()}


def check(kernels: Kernels, case: Case, expected: dict[str, Array]) -> bool:
    """Print a line for each precision, instruction set and kind of trace; whether all are near enough."""
    values = draw(case)
    weights = weights_of(case, values)
    ok = True
    for size, name, most in product(TYPES, instruction_sets(kernels.library), (KEEP, 0)):
        with instruction_set(kernels.library, name):
            found = kernels.run(case, values, weights, size, most)
        worst = max((distance(found[key], expected[key]), key) for key in expected)
        good = worst[0] <= TOLERANCE[size]
        trace = "kept" if most else "again"
        print(f"{'ok' if good else 'BAD':3} {name:7} {size} {trace:5} {case.name}: {worst[1]} {worst[0]:.1e}")
        ok = ok and good
    return ok


def main() -> int:
    """0 where all is well."""
    parser = argparse.ArgumentParser()
    parser.add_argument("library", nargs="?", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--expected", type=Path)
    said = parser.parse_args()
    if said.expected is None:
        expected = {case.name: expected_of(case) for case in cases()}
    else:
        expected = pickle.loads(said.expected.read_bytes())
    if said.write is not None:
        said.write.write_bytes(pickle.dumps(expected))
        return 0
    kernels = Kernels(said.library)
    good = [check(kernels, case, expected[case.name]) for case in cases()]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
