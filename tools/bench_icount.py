"""Instructions a step in unicorn against those that QEMU counts, in the very same program. Prints JSON.

    python tools/bench_icount.py                  # an AutoNCP LTC of 19 neurons, 200 steps
    python tools/bench_icount.py --target cortex-m4 --steps 1000

QEMU's clock goes on by a fixed time for each instruction (``-icount``), and a timer of the board tells it. A
program that QEMU starts does the steps; unicorn calls the functions in the file of that program with the same
inputs. Exits with 1 where a difference is beyond 0.5 %. Needs the extras firmware and dev, and what
`ltc-edge targets` lists.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.controller import Controller
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.c import CSources, c_float32, c_int16
from ltc_edge.export.c.guard import NO_ACTION
from ltc_edge.export.c.text import float_literal
from ltc_edge.export.calibration import excitation
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.cross_compiler import BARE_FLAGS, FLAGS, Layout, Unit, find_cross_compiler
from ltc_edge.runtimes.elf_image import read_elf
from ltc_edge.runtimes.emulated_processor import EmulatedProcessor
from ltc_edge.targets import Target, find_target

NAME = "demo"
TARGETS = ("cortex-m0plus", "cortex-m3", "cortex-m4", "cortex-m7", "riscv32")
PROGRAM = Path(__file__).parent / "icount" / "count.c"
SEED = 20_064
LIMIT_PERCENT = 0.5
TIMEOUT_S = 600

# One instruction is longer than a tick of SysTick, 40 ns on boards of the MPS2 family, so that none is lost.
SHIFT, TICK_NS = {"arm-m": 6, "riscv32": 0}, {"arm-m": 40, "riscv32": 1}
"""An instruction takes 2^shift ns of QEMU's clock; the counter that the program reads has ticks."""


@dataclass(frozen=True)
class Counts:
    """Mean instructions of a step, less those of a function that does nothing."""

    unicorn: float
    qemu: float

    @property
    def difference_percent(self) -> float:
        """Of unicorn's, above QEMU's."""
        return 100.0 * (self.unicorn / self.qemu - 1.0)


def compare(sources: CSources, controller: Controller, target: Target, steps: int) -> Counts:
    """Both counts of a controller called `NAME` on a target, over the same random valid inputs.

    Raises:
        LtcEdgeError: a tool is missing, or the program cannot be made.
        RuntimeError: QEMU fails.
    """
    drawn = excitation(controller, sequences=1, steps=steps, seed=SEED)
    observation, dt = drawn.observation[0].astype(np.float32), drawn.dt_s[0].astype(np.float32)
    files = {**sources.files, "count.c": PROGRAM.read_bytes(), "inputs.h": _inputs(observation, dt)}
    program = find_cross_compiler(target).hosted([Unit(files, (*FLAGS, *BARE_FLAGS))])
    return Counts(_in_unicorn(program, target, dt), _in_qemu(program, target, steps))


def _inputs(observation: np.ndarray, dt: np.ndarray) -> bytes:
    """The inputs as a header."""
    rows = ["{ " + ", ".join(map(float_literal, row)) + " }" for row in observation]
    return f"""#define STEPS {len(dt)}U
const float observations[{len(dt)}][{observation.shape[1]}] = {{ {", ".join(rows)} }};
const float spans[{len(dt)}] = {{ {", ".join(map(float_literal, dt))} }};
""".encode()


def _in_qemu(program: bytes, target: Target, steps: int) -> float:
    qemu = target.qemu
    assert qemu is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "count.elf"
        path.write_bytes(program)
        command = [
            qemu.tool.command,
            "-icount",
            f"shift={SHIFT[target.architecture]}",
            *qemu.tool.flags,
            str(path),
        ]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S
        )
    # Through semihosting QEMU prints on standard error.
    found = re.fullmatch(r"(\d+) (\d+) (\d+)\s*", done.stdout)
    if done.returncode != 0 or found is None:
        raise RuntimeError(f"{qemu.tool.command} failed: {done.stdout[-300:]}")
    stepped, idle, status = (int(number) for number in found.groups())
    if status & NO_ACTION:
        raise RuntimeError(f"a step gave no action in {qemu.tool.command} (status {status:#x})")
    return (stepped - idle) * TICK_NS[target.architecture] / 2 ** SHIFT[target.architecture] / steps


def _in_unicorn(program: bytes, target: Target, dt: np.ndarray) -> float:
    image = read_elf(program)
    processor = EmulatedProcessor(image, target, counted=True, layout=_layout(target))
    context, action = image.symbol("context").address, image.symbol("action").address
    rows = image.symbol("observations")
    processor.call(f"{NAME}_reset", (context,))
    instructions = 0
    for step, span in enumerate(dt.tolist()):
        words = context, rows.address + step * (rows.size // len(dt)), action
        for function, sign in ((f"{NAME}_step", 1), ("nothing", -1)):
            processor.call(function, words, span)
            instructions += sign * processor.instructions
    return instructions / len(dt)


def _layout(target: Target) -> Layout:
    """Where a program for QEMU lies, as its linker is told."""
    assert target.qemu is not None
    flags = " ".join(target.qemu.link_flags)
    found = dict(re.findall(r"__(flash|ram)=(\w+)", flags))
    return Layout(int(found["flash"], 0), int(found["ram"], 0))


def main() -> None:
    """Print the comparison as JSON."""
    from bench_formats import imported, peer

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=19)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--target", action="append", choices=TARGETS, help="repeatable; all where not given")
    arguments = parser.parse_args()
    controller = imported(peer("ltc", arguments.units).eval(), "ltc")
    plan = make_plan(controller, (from_excitation(controller),))
    made = {"c-float32": c_float32(controller, NAME), "c-int16": c_int16(controller, plan, NAME)}
    rows: list[dict[str, Any]] = []
    for target in arguments.target or TARGETS:
        for form, sources in made.items():
            row: dict[str, Any] = {"target": target, "format": form, "steps": arguments.steps}
            try:
                counts = compare(sources, controller, find_target(target), arguments.steps)
            except (LtcEdgeError, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
                row["not run"] = str(error)
            else:
                row |= {"unicorn": counts.unicorn, "qemu": counts.qemu}
                row["difference_percent"] = counts.difference_percent
            print(row, file=sys.stderr)
            rows.append(row)
    worst = max((abs(row["difference_percent"]) for row in rows if "qemu" in row), default=None)
    print(json.dumps({"worst_difference_percent": worst, "rows": rows}, indent=2))
    complete = all("qemu" in row for row in rows)
    sys.exit(0 if complete and worst is not None and worst <= LIMIT_PERCENT else 1)


if __name__ == "__main__":
    main()
