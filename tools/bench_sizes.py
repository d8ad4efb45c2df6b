"""Flash and RAM as reported against `size`, `nm` and the linker's map of the same link. Prints JSON.

    python tools/bench_sizes.py                   # an AutoNCP LTC of 19 neurons
    python tools/bench_sizes.py --target cortex-m3

Beside the sizes stand the bytes that sized symbols hold; the rest of flash are strings, what aligns
functions, and tables of the compiler's library, which have no symbols. Exits with 1 where a size differs.
Needs the extras firmware and dev, and what `ltc-edge targets` lists.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench_formats import imported, peer

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.c import CSources, c_float32, c_int16
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.cross_compiler import FLAGS, Unit, find_cross_compiler
from ltc_edge.runtimes.elf_image import read_elf
from ltc_edge.runtimes.emulated_machine import FUNCTIONS
from ltc_edge.targets import Target, find_target

NAME = "demo"
TARGETS = ("cortex-m0plus", "cortex-m4", "riscv32")
KEPT, WRITTEN = (".text", ".rodata", ".data"), (".data", ".bss")
TIMEOUT_S = 60


def sections(text: str, pattern: str, base: int) -> dict[str, int]:
    """Flash and RAM, of the sizes of sections that a tool prints."""
    sizes = {name: int(size, base) for name, size in re.findall(pattern, text, re.MULTILINE)}
    return {
        "flash_bytes": sum(sizes.get(name, 0) for name in KEPT),
        "ram_bytes": sum(sizes.get(name, 0) for name in WRITTEN),
    }


def symbols(text: str) -> dict[str, int]:
    """What sized symbols hold of flash and of RAM, of what nm prints."""
    found = re.findall(r"^(\w+) (\w+) (\w) \w+$", text, re.MULTILINE)
    # A function with two names is there once.
    flash = {int(address, 16) & ~1: int(size, 16) for address, size, kind in found if kind in "tTrRdD"}
    ram = {int(address, 16): int(size, 16) for address, size, kind in found if kind in "dDbB"}
    return {"flash_bytes": sum(flash.values()), "ram_bytes": sum(ram.values())}


def compare(sources: CSources, target: Target) -> dict[str, Any]:
    """Sizes by what reports them."""
    roots = [f"{sources.name}_{function}" for function in FUNCTIONS]
    linked = find_cross_compiler(target, "gcc").link([Unit(sources.files, FLAGS)], roots)
    image = read_elf(linked.elf)
    prefix = target.compilers["gcc"].command.removesuffix("gcc")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "program.elf").write_bytes(linked.elf)

        def tool(*command: str) -> str:
            return subprocess.run(
                [*command, "program.elf"],
                cwd=folder,
                capture_output=True,
                text=True,
                check=True,
                timeout=TIMEOUT_S,
            ).stdout

        return {
            "reported": {"flash_bytes": image.flash_bytes, "ram_bytes": image.ram_bytes},
            "size": sections(tool(f"{prefix}size", "-A"), r"^(\.\w+)\s+(\d+)", 10),
            "map": sections(linked.map, r"^(\.\w+)\s+0x\w+\s+0x(\w+)", 16),
            "symbols": symbols(tool(f"{prefix}nm", "-S")),
        }


def main() -> None:
    """Print the comparison as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=19)
    parser.add_argument("--target", action="append", help="repeatable; smallest to largest where not given")
    arguments = parser.parse_args()
    controller = imported(peer("ltc", arguments.units).eval(), "ltc")
    plan = make_plan(controller, (from_excitation(controller),))
    made = {"c-float32": c_float32(controller, NAME), "c-int16": c_int16(controller, plan, NAME)}
    rows: list[dict[str, Any]] = []
    for target in arguments.target or TARGETS:
        for form, sources in made.items():
            try:
                found = compare(sources, find_target(target))
            except (LtcEdgeError, OSError, subprocess.SubprocessError) as error:
                found = {"not run": str(error)}
            rows.append({"target": target, "format": form, **found})
    same = all("reported" in row and row["reported"] == row["size"] == row["map"] for row in rows)
    print(json.dumps({"same": same, "rows": rows}, indent=2))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
