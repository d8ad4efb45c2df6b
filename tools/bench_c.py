"""What controllers in C cost and lose: errors, size, stack, instructions on emulated processors, time here.

    python tools/bench_c.py                          # an untrained AutoNCP LTC of 19 neurons
    python tools/bench_c.py --run RUN [--run RUN …]  # and the closed loops of trained controllers

Prints JSON. Instructions are counted in an emulator, over random valid inputs. Times are medians over
interleaved rounds on one thread, and a ratio is the median of the rounds' ratios. Among the peers is a
multilayer perceptron of `emlearn` with as many parameters, where emlearn and scikit-learn are installed.
Needs the extras train, litert, firmware and dev, and the cross compilers that
`ltc-edge targets` lists.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import shlex
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bench_formats import bound, imported, litert_step, peer

from ltc_edge import Controller
from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.artifacts import Artifact, make_artifact
from ltc_edge.export.c import CSources
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.c_compiler import find_compiler, shared_library
from ltc_edge.runtimes.exported import exported_stepper
from ltc_edge.runtimes.firmware_figures import measure_firmware
from ltc_edge.targets import TARGETS, find_target
from ltc_edge.verification.open_loop import check_free_run
from ltc_edge.verification.tolerances import TOLERANCES
from ltc_edge.verification.trials import free_run

NAME = "controller"
C_FORMATS = ("c-float32", "c-int16")
ROUNDS, STEPS = 41, 2000
FLAGS = ("-std=c99", "-O3", "-ffp-contract=off")
LOOP = f"""
#include "{NAME}.h"
uint32_t bench(const float *observation, uint32_t steps);
uint32_t bench(const float *observation, uint32_t steps)
{{
    static {NAME}_context context;
    float action[{NAME.upper()}_ACTIONS];
    uint32_t status = {NAME}_reset(&context);
    for (uint32_t step = 0U; step < steps; ++step) {{
        status |= {NAME}_step(&context, observation, 1.0F, action);
    }}
    return status;
}}
"""

PERCEPTRON = """
#include <stdint.h>
#include "mlp.h"
float bench(const float *observation, uint32_t steps)
{{
    float sum = 0.0F;
    for (uint32_t step = 0U; step < steps; ++step) {{
        sum += eml_net_regress1(&mlp, observation, {inputs});
    }}
    return sum;
}}
"""
MLP = "emlearn perceptron, as many parameters"


def artifacts(controller: Controller) -> dict[str, Artifact]:
    """Every format that the peers and the C need."""
    plan = make_plan(controller, (from_excitation(controller),))
    wanted = (*C_FORMATS, "onnx", "tflite")
    made = {name: make_artifact(FORMATS[name], controller, plan, NAME) for name in wanted}
    return {name: artifact for name, artifact in made.items() if isinstance(artifact, Artifact)}


def accuracy(controller: Controller, made: dict[str, Artifact]) -> dict[str, Any]:
    """Errors over 10,000 free steps at irregular times."""
    run, results = free_run(controller), {}
    for name in C_FORMATS:
        found = check_free_run(controller, exported_stepper(made[name], controller), run, TOLERANCES[name])
        assert found.rms_over_sigma is not None
        results[name] = {
            "max_abs_error": found.max_abs_error,
            "rms_over_sigma_percent": 100 * found.rms_over_sigma,
        }
    return results


def firmware(controller: Controller, sources: CSources, steps: int) -> dict[str, Any]:
    """Size, stack and instructions a step for every target and compiler that is here."""
    rows: dict[str, Any] = {}
    for target in map(find_target, TARGETS):
        for compiler in target.compilers:
            try:
                figures = measure_firmware(sources, controller, target, compiler, steps=steps)
            except LtcEdgeError as error:
                rows[f"{target.name}, {compiler}"] = {"not measured": str(error)}
                continue
            rows[f"{target.name}, {compiler}"] = figures.to_json()
    return rows


def compiled_loop(sources: CSources, folder: Path) -> Callable[[int], Any]:
    """Runs so many steps of a controller within C, with the compiler's own vectors."""
    files = {**sources.files, "bench.c": LOOP.encode()}
    flags = (*FLAGS, *shlex.split("-march=native"))
    library = ctypes.CDLL(str(shared_library(files, folder, find_compiler(), flags)))
    observation = np.zeros(8, dtype=np.float32)
    address = ctypes.c_void_p(observation.ctypes.data)
    return lambda steps: library.bench(address, steps)


def latency(controller: Controller, made: dict[str, Artifact]) -> dict[str, Any]:
    """Microseconds a step here, and how many times faster than each peer."""
    with tempfile.TemporaryDirectory() as scratch:
        loops: dict[str, Callable[[int], Any]] = {}
        mlp = perceptron(controller.parameters_effective(), controller.cell.inputs, Path(scratch))
        for name in C_FORMATS:
            folder = Path(scratch) / name
            folder.mkdir()
            loops[name] = compiled_loop(made[name].c_sources(), folder)
        for name, one in (
            ("LiteRT float32, set + invoke + get", litert_step(made["tflite"].content)),
            ("ONNX Runtime, bound", bound(made["onnx"].content)),
        ):
            loops[name] = lambda steps, one=one: [one() for _ in range(steps)]
        if not isinstance(mlp, str):
            loops[MLP] = mlp
        found = interleaved(loops)
        return found if not isinstance(mlp, str) else found | {MLP: f"not measured: {mlp}"}


def interleaved(loops: dict[str, Callable[[int], Any]]) -> dict[str, Any]:
    """Median microseconds a step of each; for those in C, the median ratios to the others."""
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            steps = STEPS if name in (*C_FORMATS, MLP) else STEPS // 10
            loop(steps // 10)
            start = time.perf_counter()
            loop(steps)
            taken[name].append((time.perf_counter() - start) / steps * 1e6)
    others = [name for name in loops if name not in C_FORMATS]
    return {
        "median_us": {name: statistics.median(times) for name, times in taken.items()},
        "times_faster": {
            name: {
                other: statistics.median(a / b for a, b in zip(taken[other], taken[name], strict=True))
                for other in others
            }
            for name in C_FORMATS
        },
    }


def perceptron(parameters: int, inputs: int, folder: Path) -> Callable[[int], Any] | str:
    """Steps of an `emlearn` perceptron with about as many parameters, within C; or why there is none."""
    try:
        import emlearn
        from sklearn.neural_network import MLPRegressor
    except ImportError as error:
        return f"{error.name} is not installed"
    hidden = max((parameters - 1) // (inputs + 2), 1)
    x = np.random.default_rng(0).normal(size=(500, inputs))
    model = MLPRegressor(hidden_layer_sizes=(hidden,), activation="tanh", max_iter=500)
    model.fit(x, np.tanh(x.sum(axis=1)))
    with contextlib.chdir(folder):  # it leaves files of its own where it runs
        emlearn.convert(model, method="loadable").save(name="mlp", file="mlp.h")
    include = f"-I{Path(emlearn.__file__).parent}"
    files = {"bench.c": PERCEPTRON.format(inputs=inputs).encode()}
    flags = ("-O3", "-march=native", "-w", include, f"-I{folder}", "-lm")
    library = ctypes.CDLL(str(shared_library(files, folder, find_compiler(), flags)))
    observation = np.zeros(inputs, dtype=np.float32)
    address = ctypes.c_void_p(observation.ctypes.data)
    return lambda steps: library.bench(address, steps)


def closed_loop(run: Path) -> dict[str, Any]:
    """What a trained controller's C loses of its task."""
    with tempfile.TemporaryDirectory() as scratch:
        options = ExportOptions(formats=C_FORMATS)
        reports = export_bundle(read_subject(run), Path(scratch) / "bundle", options).reports
    return {name: reports[name].summary() for name in C_FORMATS}


def main() -> None:
    """Print the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--run", type=Path, action="append", default=[], help="trained run folder; repeatable"
    )
    parser.add_argument("--units", type=int, default=19)
    parser.add_argument(
        "--steps", type=int, default=200, help="random inputs for which instructions are counted"
    )
    arguments = parser.parse_args()
    controller = imported(peer("ltc", arguments.units).eval(), f"ltc-{arguments.units}")
    made = artifacts(controller)
    print("accuracy", file=sys.stderr)
    document: dict[str, Any] = {
        "controller": {
            "neurons": arguments.units,
            "parameters_effective": controller.parameters_effective(),
        },
        "accuracy": accuracy(controller, made),
    }
    print("latency", file=sys.stderr)
    document["latency"] = latency(controller, made)
    document["firmware"] = {}
    for name in C_FORMATS:
        print(name, file=sys.stderr)
        document["firmware"][name] = firmware(controller, made[name].c_sources(), arguments.steps)
    document["runs"] = {run.name: closed_loop(run) for run in arguments.run}
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
