"""What a bundle's images take of each board, and how an Uno runs one to the cycle. Prints JSON.

    python tools/bench_boards.py BUNDLE               # flash and RAM on every board, in each format in C
    python tools/bench_boards.py BUNDLE --only uno    # the loop, its drill and the stack on an Uno in simavr

Needs the boards' compilers; for the Uno a C compiler, libsimavr-dev, libelf-dev, and a bundle of some eight
neurons with c-float32. Nothing here depends on how busy the machine is: simavr counts the board's own cycles.
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

from ltc_edge.bundle.bundle import Bundle, load_bundle
from ltc_edge.deploy.boards import BOARDS, find_board
from ltc_edge.deploy.boards.acceptance import accept
from ltc_edge.deploy.boards.build import build
from ltc_edge.deploy.boards.project import FIRMWARE, image_hash, make_project
from ltc_edge.deploy.boards.project_folder import write_project
from ltc_edge.errors import LtcEdgeError
from ltc_edge.runtimes.serial_lines import PipeLine

PARTS = ("sizes", "uno")
SIMULATOR_FLAGS = ("-std=c99", "-O2", "-D_POSIX_C_SOURCE=200809L")
TIMEOUT_S = 60.0


def sizes(bundle: Bundle) -> dict[str, Any]:
    """Flash and static RAM of each image; why there is none, where a board has no room."""
    found: dict[str, Any] = {}
    for name in BOARDS:
        for form in ("c-float32", "c-int16"):
            if form not in bundle.formats:
                continue
            try:
                with tempfile.TemporaryDirectory() as folder:
                    taken = _built(bundle, name, form, Path(folder, "project"))[1]
                row: Any = {"flash_bytes": taken.flash_bytes, "ram_bytes": taken.ram_bytes}
            except LtcEdgeError as error:
                row = {"refused": str(error).partition(": ")[2]}
            found.setdefault(name, {})[form] = row
    return found


def uno(bundle: Bundle) -> dict[str, Any]:
    """An Uno in simavr, accepted and drilled."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "project")
        project, taken = _built(bundle, "arduino-uno", "c-float32", folder)
        simulator, report = Path(scratch, "simulator"), Path(scratch, "report.json")
        source = FIRMWARE / "arduino_uno" / "simulator" / "simulator.c"
        subprocess.run(["cc", *SIMULATOR_FLAGS, "-o", simulator, source, "-lsimavr", "-lelf"], check=True)
        image = folder / "build" / "firmware.elf"
        symbols = subprocess.run(["avr-nm", image], capture_output=True, text=True, check=True).stdout
        step = re.search(rf"^(\w+) T {project.sources.name}_step$", symbols, re.MULTILINE)
        assert step is not None
        with subprocess.Popen(
            [simulator, image, report, step[1]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
        ) as board:
            assert board.stdin is not None
            assert board.stdout is not None
            line = PipeLine(board.stdout.fileno(), board.stdin.fileno(), "simavr")
            found = accept(line, project, image_hash(project.files), drill=True, timeout_s=TIMEOUT_S)
            board.stdin.close()
            board.wait(TIMEOUT_S)
        measured = json.loads(report.read_text())
    return {
        "flash_bytes": taken.flash_bytes,
        "ram_bytes": taken.ram_bytes,
        "stack_bytes": measured["stack_bytes"],
        "cycles_per_step": measured["cycles_per_step"],
        "period_s": project.period_s,
        "found": found.to_json(),
    }


def _built(bundle: Bundle, name: str, form: str, folder: Path) -> tuple[Any, Any]:
    """A project in ``folder``, built, and what its image takes."""
    board = find_board(name)
    project = make_project(bundle, board, form, period_s=bundle.controller.timing.period_s)
    write_project(project.files, folder)
    return project, build(board, folder)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="folder of `ltc-edge export`")
    parser.add_argument("--only", choices=PARTS, default="sizes")
    arguments = parser.parse_args()
    try:
        bundle = load_bundle(arguments.bundle)
        document = {arguments.only: {"sizes": sizes, "uno": uno}[arguments.only](bundle)}
    except LtcEdgeError as error:
        sys.exit(f"Error: {error}")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
