"""What a step of each cell takes as C on this machine, of the runs that bench_notes.py trained. Prints JSON.

    python tools/bench_cells.py WORK                  # WORK as in bench_notes.py -o WORK
    python tools/bench_cells.py WORK --seed 1

For each subject the controllers of all cells, compiled alike, step over the same readings by turns in one
process; medians of rounds, and the median over rounds of each cell's time over the LTC's.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from notes.contenders import CELLS

from ltc_edge.controller import Controller
from ltc_edge.controller_file import load_controller
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.artifacts import Refusal, make_artifact
from ltc_edge.export.formats import FORMATS
from ltc_edge.runtimes.c_compiler import FLAGS, find_compiler, shared_library

FORMAT = "c-float32"
ROUNDS, STEPS, READINGS = 41, 2000, 256

LOOP = """
#include "{name}.h"
uint32_t bench(const float *observation, uint32_t steps);
uint32_t bench(const float *observation, uint32_t steps)
{{
    static {name}_context context;
    float action[{upper}_ACTIONS];
    uint32_t status = {name}_reset(&context);
    for (uint32_t step = 0U; step < steps; ++step) {{
        status |= {name}_step(&context, &observation[(step % {readings}U) * {upper}_OBSERVATIONS],
                              {upper}_PERIOD_S, action);
    }}
    return status;
}}
"""

Loop = Callable[[int], Any]


def compiled(controller: Controller, folder: Path) -> Loop | str:
    """Runs so many steps of a controller within C; or why there is no such C."""
    made = make_artifact(FORMATS[FORMAT], controller, None)
    if isinstance(made, Refusal):
        return f"{made.reason}: {made.detail}"
    sources = made.c_sources()
    loop = LOOP.format(name=sources.name, upper=sources.name.upper(), readings=READINGS)
    folder.mkdir(parents=True)
    library = ctypes.CDLL(
        str(shared_library({**sources.files, "bench.c": loop.encode()}, folder, find_compiler(), FLAGS))
    )
    draw = np.random.default_rng(0).normal(size=(READINGS, controller.cell.inputs))
    readings = (controller.normalizer.offset + controller.normalizer.scale * draw).astype(np.float32)
    return lambda steps: library.bench(readings.ctypes.data_as(ctypes.c_void_p), steps)


def by_turns(loops: dict[str, Loop]) -> dict[str, Any]:
    """Median microseconds a step of each, and over the LTC's."""
    taken: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(ROUNDS):
        for name, loop in loops.items():
            loop(STEPS // 10)
            start = time.perf_counter()
            loop(STEPS)
            taken[name].append((time.perf_counter() - start) / STEPS * 1e6)
    return {
        name: {
            "median_us": statistics.median(times),
            "times_ltc": statistics.median(a / b for a, b in zip(times, taken["ltc"], strict=True)),
        }
        for name, times in taken.items()
    }


def measured(subject: Path, seed: int) -> dict[str, Any]:
    """All cells of a subject."""
    with tempfile.TemporaryDirectory() as scratch:
        made = {
            cell: compiled(
                load_controller(subject / f"{cell}-seed{seed}" / "controller.safetensors"),
                Path(scratch, cell),
            )
            for cell in CELLS
        }
        refused = {cell: loop for cell, loop in made.items() if isinstance(loop, str)}
        return by_turns({cell: loop for cell, loop in made.items() if not isinstance(loop, str)}) | refused


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    try:
        subjects = sorted(path for path in arguments.work.iterdir() if path.is_dir())
        rows = {path.name: measured(path, arguments.seed) for path in subjects}
    except (LtcEdgeError, OSError) as error:
        sys.exit(f"Error: {error}")
    print(json.dumps({"format": FORMAT, "seed": arguments.seed, "us_a_step": rows}))


if __name__ == "__main__":
    main()
