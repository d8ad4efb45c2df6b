"""LiteRT's own benchmark, which its wheel installs as ``litert-benchmark``, against our way of timing.

It times runs of a CompiledModel through its interface in Python, each between two readings of the clock, and
rounds what it prints to 10 µs; here the times are taken before that. Ours are of the very same call, timed
as a profile times single steps. Neither is what a profile says of a LiteRT file: that is of an Interpreter,
which has less to do in a step.
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from ltc_edge.errors import MissingExtraError
from ltc_edge.profiling.agent import timing
from profile_bench.subject import last_cpu, spread

RUNS, WARMUP = 2000, 200
LIMIT_NS = 10_000_000_000
SIGNATURE = "serving_default"


def measure(model: Path, rounds: int) -> dict[str, Any]:
    """Ratio of our p50 to its median, on the same file in turns.

    Raises:
        MissingExtraError: it is not here, or what it needs.
    """
    try:
        from ai_edge_litert.tools import benchmark_litert_model as own
    except ImportError as error:
        raise MissingExtraError(f"{error.name} is not installed; litert-benchmark needs it") from None
    with _on_cpu(last_cpu()), _quiet():
        pairs = _in_turns(own, model, rounds)
    return {
        "ours_us": spread([ours for ours, _ in pairs]),
        "theirs_us": spread([theirs for _, theirs in pairs]),
        "ratio": spread([ours / theirs for ours, theirs in pairs]),
    }


def _in_turns(own: Any, model: Path, rounds: int) -> list[tuple[float, float]]:
    """Ours and theirs in microseconds, each first every second time."""
    step, pairs = _compiled(own, model), []
    for index in range(rounds):
        if index % 2:
            ours = _ours(step)
            pairs.append((ours, _theirs(own, model)))
        else:
            theirs = _theirs(own, model)
            pairs.append((_ours(step), theirs))
    return pairs


def _ours(step: Any) -> float:
    block, _ = timing.singles(lambda _: None, step, RUNS, LIMIT_NS)
    empty, _ = timing.singles(lambda _: None, timing.nothing, RUNS, LIMIT_NS)
    return float(np.median(np.frombuffer(block, "<u4")) - np.median(np.frombuffer(empty, "<u4"))) / 1e3


def _arguments(model: Path) -> Namespace:
    """Its command line, of which everything else is left as it is."""
    return Namespace(
        model=str(model),
        signature="",
        use_cpu=True,
        no_cpu=False,
        use_gpu=False,
        use_npu=False,
        require_full_delegation=False,
        dispatch_library_path="",
        compiler_plugin_path="",
        runtime_path="",
        num_runs=RUNS,
        warmup_runs=WARMUP,
        num_threads=1,
        result_json="",
        verbose=False,
    )


def _theirs(own: Any, model: Path) -> float:
    """The median that it works out, before it is rounded."""
    medians: list[float] = []

    def median(times_ms: list[float]) -> float:
        medians.append(statistics.median(times_ms))
        return medians[-1]

    kept = own.statistics
    own.statistics = SimpleNamespace(mean=statistics.mean, stdev=statistics.stdev, median=median)
    try:
        own.run_benchmark(_arguments(model))
    finally:
        own.statistics = kept
    return medians[-1] * 1e3


def _compiled(own: Any, model: Path) -> Any:
    """The call that it times, on a model that is compiled as it does."""
    arguments = _arguments(model)
    compiled, hardware, environment, environment_options, options, cpu_options = own._import_litert()
    wanted = own.build_hardware_accelerators(arguments, hardware)
    made = compiled.from_file(
        str(model),
        environment=own.create_environment(arguments, environment, environment_options),
        options=own.create_model_options(arguments, options, cpu_options, wanted),
    )
    details = made.get_input_tensor_details(SIGNATURE)
    inputs = {name: made.create_input_buffer_by_name(SIGNATURE, name) for name in details}
    outputs = {
        name: made.create_output_buffer_by_name(SIGNATURE, name)
        for name in made.get_output_tensor_details(SIGNATURE)
    }
    for name, buffer in inputs.items():
        own.fill_random_input(buffer, details[name])
    return lambda: made.run_by_name(SIGNATURE, inputs, outputs)


@contextlib.contextmanager
def _on_cpu(cpu: int) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """It prints what it found, and LiteRT what it does, from C++."""
    saved = os.dup(2)
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
