"""A long log through all modes and faults, made faster than real time, and replayed: how many bits differ.

    python tools/bench_replay.py BUNDLE [--format c-float32] [--steps 600000] [--period-us 1000]

The program of the step log's tests, `tests/deploy/step_log/driver.c`, draws readings, ages, gaps, requests
and missed deadlines, flips bits in the controller's and the supervisor's memory, and logs every step; each is
then replayed from the log. One JSON object: steps, differing ones, seconds of the log and of the replay.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from bench_step_log import FIRMWARE, build

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.replay.library import ReplayLibrary
from ltc_edge.deploy.replay.replay import replay
from ltc_edge.deploy.replay.settings import logged_settings
from ltc_edge.deploy.sources import trusted_sources
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.supervision.codes import Mode

DRIVER = FIRMWARE.parent / "tests/deploy/step_log/driver.c"


def measure(bundle: Path, form: str, steps: int, period_us: int, folder: Path) -> dict[str, Any]:
    """Make the log, replay it, and say what was found."""
    path = folder / "long.mcap"
    program = build(bundle, form, folder, DRIVER)
    words = [str(program), str(path), str(steps), str(period_us), "c"]
    made = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    began, began_cpu = time.perf_counter(), time.process_time()
    log = StepLog(path)
    sources = trusted_sources(load_bundle(bundle), form).c_sources()
    library = ReplayLibrary(sources, logged_settings(log))
    found = replay(log, library)
    return {
        "bundle": bundle.name,
        "format": form,
        "made": made,
        "steps": found.steps,
        "log_seconds": round(found.seconds, 3),
        "differing_steps": found.differing,
        "steps_without_state": found.unreachable,
        "changed_memory": found.changed,
        "modes": {Mode(mode).name.lower(): count for mode, count in sorted(found.modes.items())},
        "replay_s": round(time.perf_counter() - began, 2),
        "replay_cpu_s": round(time.process_time() - began_cpu, 2),
    }


def main() -> None:
    """Make, replay, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--format", default="c-float32")
    parser.add_argument("--steps", type=int, default=600_000)
    parser.add_argument("--period-us", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = measure(asked.bundle, asked.format, asked.steps, asked.period_us, Path(name))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
