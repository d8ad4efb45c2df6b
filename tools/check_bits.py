"""Whether controllers in C give the same bits from every compiler, level and processor. Prints JSON.

    python tools/check_bits.py                    # an AutoNCP LTC of 19 neurons, 100,000 steps
    python tools/check_bits.py --steps 1000000

Each row is a SHA-256 of all actions, statuses and states. On this machine programs run as they are, for the
targets of `ltc-edge targets` in QEMU. Where floats are emulated, float32 takes some 100 times as long:
there `--soft-steps` are done, and compared with the digests that the other rows had after as many. Exits
with 1 where two rows differ, or one could not be run. Needs the extras firmware and dev, and what
`ltc-edge targets` lists.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench_formats import imported, peer

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.c import CSources, c_float32, c_int16
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.cross_compiler import Unit, find_cross_compiler
from ltc_edge.targets import TARGETS, Target, find_target

NAME = "demo"
LEVELS = ("-O0", "-O2", "-Os", "-O3")
COMPILERS = ("gcc", "clang")
HARNESS = Path(__file__).parent / "bits" / "digest.c"
TIMEOUT_S = 3600


def flags(level: str, steps: int) -> tuple[str, ...]:
    """How a row is compiled."""
    return "-std=c99", level, "-ffp-contract=off", f"-DSTEPS={steps}U"


def digests(output: str) -> dict[str, str]:
    """SHA-256 by number of steps, as the program prints them."""
    found = dict(line.split() for line in output.splitlines())
    if not found:
        raise RuntimeError("the program printed nothing")
    return found


def run(command: list[str], folder: Path) -> str:
    """What a program prints; through semihosting QEMU prints it on standard error."""
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout[-300:]}")
    return done.stdout


def here(sources: CSources, compiler: str, level: str, steps: int) -> dict[str, str]:
    """A row of this machine."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, content in {**sources.files, "digest.c": HARNESS.read_bytes()}.items():
            (folder / name).write_bytes(content)
        units = sorted(path.name for path in folder.glob("*.c"))
        run([compiler, *flags(level, steps), *units, "-o", "digest"], folder)
        return digests(run(["./digest"], folder))


def emulated(sources: CSources, target: Target, compiler: str, level: str, steps: int) -> dict[str, str]:
    """A row of a target."""
    assert target.qemu is not None
    units = [Unit({**sources.files, "digest.c": HARNESS.read_bytes()}, flags(level, steps))]
    program = find_cross_compiler(target, compiler).hosted(units)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "digest.elf"
        path.write_bytes(program)
        path.chmod(0o755)
        return digests(run([target.qemu.tool.command, *target.qemu.tool.flags, str(path)], Path(scratch)))


def wanted(sources: CSources, steps: int, soft_steps: int) -> Iterator[tuple[str, str, str, Any]]:
    """Every row: processor, compiler, level, and what makes it."""
    for compiler in COMPILERS:
        for level in LEVELS:
            yield "x86-64", compiler, level, lambda c=compiler, o=level: here(sources, c, o, steps)
    for target in map(find_target, TARGETS):
        fewer = soft_steps if sources.state_type == "float32" and not target.fpu else steps
        for compiler in target.compilers:
            for level in LEVELS:
                yield (
                    target.name,
                    compiler,
                    level,
                    lambda t=target, c=compiler, o=level, n=fewer: emulated(sources, t, c, o, n),
                )


def compared(sources: CSources, steps: int, soft_steps: int) -> dict[str, Any]:
    """All rows of one controller, and how many different digests there are for each number of steps."""

    def row(job: tuple[str, str, str, Any]) -> dict[str, Any]:
        processor, compiler, level, make = job
        entry: dict[str, Any] = {"processor": processor, "compiler": compiler, "level": level}
        try:
            entry["sha256"] = make()
        except (LtcEdgeError, RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            entry["not run"] = str(error)
        print(entry, file=sys.stderr)
        return entry

    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(row, wanted(sources, steps, soft_steps)))
    found: dict[str, set[str]] = {}
    for entry in rows:
        for count, digest in entry.get("sha256", {}).items():
            found.setdefault(count, set()).add(digest)
    return {
        "rows": rows,
        "rows_not_run": sum("sha256" not in entry for entry in rows),
        "different_digests": {count: len(values) for count, values in found.items()},
        "sha256": {count: sorted(values) for count, values in found.items()},
    }


def main() -> None:
    """Print the rows as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--soft-steps", type=int, default=1000, help="of float32 where floats are emulated")
    parser.add_argument("--partial", action="store_true", help="a row that cannot be run is no failure")
    parser.add_argument("--units", type=int, default=19)
    parser.add_argument("--arithmetic", choices=["float32", "int16"], action="append")
    arguments = parser.parse_args()
    if arguments.soft_steps not in (1000, 10_000, 100_000, 1_000_000):
        parser.error("--soft-steps must be a power of ten from 1000: only there the other rows have a digest")
    controller = imported(peer("ltc", arguments.units).eval(), "ltc")
    made = {
        "float32": c_float32(controller, NAME),
        "int16": c_int16(controller, make_plan(controller, (from_excitation(controller),)), NAME),
    }
    results = {
        name: compared(made[name], arguments.steps, arguments.soft_steps)
        for name in arguments.arithmetic or made
    }
    same = all(n == 1 for result in results.values() for n in result["different_digests"].values())
    missing = sum(result["rows_not_run"] for result in results.values())
    print(json.dumps({"same": same, "rows_not_run": missing, "arithmetics": results}, indent=2))
    sys.exit(0 if same and (arguments.partial or not missing) else 1)


if __name__ == "__main__":
    main()
