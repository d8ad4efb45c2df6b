"""What the step log takes of a step of a loop in real time, while its thread writes to the disk.

    python tools/bench_step_log.py BUNDLE [--format c-float32] [--period-us 1000] [--seconds 60] [--fifo 80]

The program wakes at every period, steps the bundle's controller behind its supervisor and logs the step; the
log's calls are timed by two pairs of readings of the clock, which the figures contain. One JSON object:
nanoseconds by percentile, the same of the clock alone (a pair), what was dropped, how often the loop's thread
allocated memory, and, where the system lets its counters be read, instructions a step (with those of turning
the counter on and off).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.sources import trusted_sources
from ltc_edge.deploy.step_log.facts import facts_c, make_facts
from ltc_edge.runtimes.c_compiler import find_compiler
from ltc_edge.supervision.settings import default_settings
from ltc_edge.supervision.settings_c import settings_c

HERE = Path(__file__).resolve().parent
FIRMWARE = HERE.parent / "firmware_examples"
PERCENTILES = (50.0, 99.0, 99.9, 100.0)


def build(bundle_folder: Path, form: str, folder: Path, main_c: Path) -> Path:
    """The program of a C file, with the controller of a bundle."""
    bundle = load_bundle(bundle_folder)
    sources = trusted_sources(bundle, form).c_sources()
    settings = default_settings(bundle.controller)
    facts = make_facts(bundle, form, bundle.controller.timing.period_s, settings)
    own = {
        "supervisor_settings.c": settings_c(settings).encode(),
        "step_log_facts.c": facts_c(facts).encode(),
    }
    for name, content in (dict(sources.files) | own).items():
        (folder / name).write_bytes(content)
    loop, common = FIRMWARE / "linux_rt_loop", FIRMWARE / "common"
    files = [*loop.glob("step_log*.c"), *loop.glob("mcap_file*.c"), common / "ltc_supervisor.c"]
    program = folder / "bench"
    name = sources.name
    command = [*find_compiler(), "-std=c99", "-O2", "-ffp-contract=off", "-D_GNU_SOURCE", "-pthread"]
    command += [f"-I{loop}", f"-I{common}", f"-I{folder}", f"-DCONTROLLER={name}"]
    command += [f"-DCONTROLLER_UPPER={name.upper()}", f'-DCONTROLLER_HEADER="{name}.h"', "-o", str(program)]
    command += map(str, [*files, *folder.glob("*.c"), main_c])
    subprocess.run([*command, "-lm"], check=True)
    return program


def measure(program: Path, log: Path, steps: int, period_us: int, fifo: int) -> dict[str, Any]:
    """Run the program, and what it said."""
    words = [str(program), str(log), str(steps), str(period_us * 1000), str(fifo)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr.strip())
    times = np.array([line.split() for line in done.stdout.splitlines()], dtype=np.int64)
    allocations, dropped, size, error, instructions = map(int, done.stderr.split())
    return {
        "steps": steps,
        "period_us": period_us,
        "fifo": fifo,
        "log_ns": percentiles(times[:, 0]),
        "clock_pair_ns": percentiles(times[:, 1]),
        "allocations": allocations,
        "dropped": dropped,
        "bytes_a_step": round(size / steps, 1),
        "error": error,
        "instructions_a_step": round(instructions / 100) if instructions else None,
    }


def percentiles(times_ns: np.ndarray[Any, np.dtype[np.int64]]) -> dict[str, int]:
    """Nanoseconds by percentile."""
    found = np.percentile(times_ns, PERCENTILES, method="higher")
    return {f"p{percent:g}": int(value) for percent, value in zip(PERCENTILES, found, strict=True)}


def main() -> None:
    """Build, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--format", default="c-float32")
    parser.add_argument("--period-us", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--fifo", type=int, default=0, help="priority of SCHED_FIFO; 0: as it is")
    parser.add_argument(
        "--folder", type=Path, help="where the log is written: a folder of the disk in question"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        program = build(asked.bundle, asked.format, folder, HERE / "bench_step_log.c")
        steps = max(1, int(asked.seconds * 1e6 / asked.period_us))
        print(json.dumps(measure(program, folder / "bench.mcap", steps, asked.period_us, asked.fifo)))


if __name__ == "__main__":
    main()
