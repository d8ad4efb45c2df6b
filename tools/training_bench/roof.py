"""The kernel against its roof: what its synapse evaluations cost where nothing else is done."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ltc_edge.cells.spec import LTCSpec
from ltc_edge.errors import CheckFailedError
from training_bench.cases import Case
from training_bench.contenders import Contender
from training_bench.timing import quartiles

FORWARD, BACKWARD = 0, 1
"""The first argument of `ltc_edge_roof_f32`: synapses alone, or their gradients."""
EVALUATIONS = 20_000_000
"""Of a turn of the roof: some tens of milliseconds."""
PASSES = ("forward", "backward")


@dataclass(frozen=True)
class Work:
    """Synapse evaluations of one pass over a case, those of its true sequences: idle lanes are a loss."""

    forward: int
    backward: int


def work_of(case: Case, spec: LTCSpec) -> Work:
    """Each recurrent synapse once a sub-step (four times with RK4), each sensory one once a step."""
    stages = 4 if spec.solver == "rk4" else 1
    a_step = stages * spec.unfolds * len(spec.wiring.synapses) + len(spec.wiring.sensory_synapses)
    evaluations = case.batch * case.length * a_step
    return Work(evaluations, evaluations)


def roof_of(library: ctypes.CDLL) -> Callable[[int], float]:
    """A function that measures now what an evaluation costs, in seconds, `FORWARD` or `BACKWARD`.

    Raises:
        CheckFailedError: the library has no such loop.
    """
    try:
        function = library.ltc_edge_roof_f32
    except AttributeError:
        raise CheckFailedError("this library of kernels has no loop to measure a roof with") from None
    function.argtypes = (ctypes.c_int32, ctypes.c_int64, ctypes.POINTER(ctypes.c_double))
    function.restype = ctypes.c_double

    def seconds(what: int) -> float:
        taken = ctypes.c_double()
        checksum = function(what, EVALUATIONS, ctypes.byref(taken))
        if not (np.isfinite(checksum) and taken.value > 0.0):
            raise CheckFailedError(f"the loop of the roof gave {checksum} in {taken.value} s")
        return taken.value / EVALUATIONS

    return seconds


@contextmanager
def timed(library: ctypes.CDLL) -> Iterator[dict[str, float]]:
    """Seconds of the last call of the kernel's forward and backward pass, without torch around them.

    They are this thread's time on a core, as the loop of the roof counts its own: what other processes do in
    between is left out.
    """
    seconds: dict[str, float] = {}
    names = {name: f"ltc_edge_ltc_{name}_f32" for name in PASSES}
    originals = {name: getattr(library, symbol) for name, symbol in names.items()}

    def timing(name: str) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            start = time.thread_time()
            status: int = originals[name](*arguments)
            seconds[name] = time.thread_time() - start
            return status

        return call

    for name, symbol in names.items():
        setattr(library, symbol, timing(name))
    try:
        yield seconds
    finally:
        for name, symbol in names.items():
            setattr(library, symbol, originals[name])


def share_of_roof(
    library: ctypes.CDLL, case: Case, ours: Contender, rounds: int, turns: int = 5
) -> dict[str, Any]:
    """The row of a case: in each round the roof, some passes, and the roof again.

    The share is the median over rounds of (evaluations × what each costs in the loop) / (time of the calls).
    """
    spec = ours.module.spec
    assert isinstance(spec, LTCSpec)
    work, roof = work_of(case, spec), roof_of(library)
    found: dict[str, list[float]] = {name: [] for name in ("share", *PASSES, "forward_ns", "backward_ns")}
    with timed(library) as seconds:
        ours()
        for _ in range(rounds):
            costs = [[roof(FORWARD), roof(BACKWARD)]]
            taken = []
            for _ in range(turns):
                ours()
                taken.append([seconds[name] for name in PASSES])
            costs.append([roof(FORWARD), roof(BACKWARD)])
            forward, backward = np.median(taken, axis=0).tolist()
            forward_cost, backward_cost = np.mean(costs, axis=0).tolist()
            at_roof = work.forward * forward_cost, work.backward * backward_cost
            found["share"].append(sum(at_roof) / (forward + backward))
            found["forward"].append(at_roof[0] / forward)
            found["backward"].append(at_roof[1] / backward)
            found["forward_ns"].append(1e9 * forward_cost)
            found["backward_ns"].append(1e9 * backward_cost)
    medians = {name: float(np.median(values)) for name, values in found.items()}
    return {
        "case": case.name,
        "share_of_roof": medians["share"],
        "share_quartiles": quartiles(found["share"]),
        "share_forward": medians["forward"],
        "share_backward": medians["backward"],
        "evaluations": {"forward": work.forward, "backward": work.backward},
        "roof_ns_per_evaluation": {"forward": medians["forward_ns"], "backward": medians["backward_ns"]},
        "rounds": rounds,
    }
