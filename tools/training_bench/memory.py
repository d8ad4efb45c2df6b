"""Peak memory of one pass, each in a process of its own.

    python -m training_bench.memory CASE CONTENDER THREADS     # with tools/ on PYTHONPATH

Prints JSON. What is measured is the most that was resident during the pass, less what was resident just
before it: the network, its inputs, torch and the kernel's library do not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from training_bench.cases import Case
from training_bench.contenders import contender

TOOLS = Path(__file__).parents[1]
LIMIT_S = 600.0


def peak_memory(case: Case, name: str, threads: int) -> dict[str, Any]:
    """``bytes`` of a pass of a contender, or a ``reason`` why there is no figure."""
    command = [sys.executable, "-m", "training_bench.memory", case.name, name, str(threads)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(TOOLS), os.environ.get("PYTHONPATH", "")]),
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return {"bytes": None, "reason": f"took longer than {LIMIT_S:.0f} s"}
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        return {"bytes": None, "reason": last[0]}
    return {"bytes": int(json.loads(done.stdout)["bytes"]), "reason": None}


def measure(case: Case, name: str) -> int:
    """Bytes, in this process."""
    # Loads what is loaded once.
    contender(name, Case(case.kind, case.units, 1, 2, case.solver, case.unfolds))()
    one = contender(name, case)
    before = _status("VmRSS")
    # Makes the peak what is resident now; see proc(5).
    Path("/proc/self/clear_refs").write_text("5")
    one()
    return max(_status("VmHWM") - before, 0)


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {field}; peak memory is measured on Linux alone")


def main() -> None:
    """Print the figure."""
    name, who, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    print(json.dumps({"bytes": measure(Case.parse(name), who)}))


if __name__ == "__main__":
    main()
