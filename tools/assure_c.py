"""Assurance of the generated C: what tools and proofs say of the runtime and of controllers of every kind.

    python tools/assure_c.py                       # all of it
    python tools/assure_c.py sanitize coverage     # some
    python tools/assure_c.py fuzz --runs 10000000  # longer
    python tools/assure_c.py bitflips --run RUN    # of a trained controller

Exit 0 where everything holds, 1 where something does not, 2 for a tool that is missing. docs/c-assurance.md
says what each method shows and what it does not.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assurance import analysis, bitflips, coverage, fuzz, lint, prove, sanitize, stack
from assurance.subjects import TYPES, subject_of, subjects

from ltc_edge.bundle.subject import read_subject
from ltc_edge.errors import LtcEdgeError
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes


def run_sanitize(_: argparse.Namespace, folder: Path) -> dict[str, Any]:
    found = {name: sanitize.sanitize(subjects(), name, folder / name) for name in sanitize.INSTRUMENTS}
    return {"ok": all(result["ok"] for result in found.values()), "instruments": found}


def run_analysis(_: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return analysis.analyse_all(subjects(), folder)


def run_lint(_: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return lint.lint(subjects(lint.KINDS), folder)


def run_coverage(_: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return coverage.coverage(subjects(), folder)


def run_fuzz(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    return fuzz.fuzz(subjects(), arguments.runs, arguments.seed, folder)


def run_stack(_: argparse.Namespace, folder: Path) -> dict[str, Any]:
    found = {
        f"{made.label}, {level}": stack.stack(made, level, folder / f"{number}{level}")
        for number, made in enumerate(subjects())
        for level in ("-O2", "-Os", "-O3")
    }
    return {"ok": all(result["ok"] for result in found.values()), "subjects": found}


def run_bitflips(arguments: argparse.Namespace, _: Path) -> dict[str, Any]:
    if arguments.run is None:
        chosen = list(subjects(("ltc", "cfc", "lstm")))
    else:
        controller = read_subject(arguments.run).controller
        controller = controller_from_bytes(hub_bytes(controller), str(arguments.run))
        chosen = [subject_of(controller, controller.name, state_type) for state_type in TYPES]
    return {"ok": True, "subjects": {made.label: bitflips.flips(made) for made in chosen}}


def run_prove(_: argparse.Namespace, folder: Path) -> dict[str, Any]:
    found = {"floats": prove.exhaustive(1, folder), "crc": prove.crc(4096, folder)}
    return {"ok": all(result["ok"] for result in found.values()), **found}


METHODS: dict[str, Callable[[argparse.Namespace, Path], dict[str, Any]]] = {
    "sanitize": run_sanitize,
    "analysis": run_analysis,
    "lint": run_lint,
    "coverage": run_coverage,
    "fuzz": run_fuzz,
    "stack": run_stack,
    "prove": run_prove,
    "bitflips": run_bitflips,
}


def main() -> int:
    """Run the methods that were asked for; one JSON object on standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("methods", nargs="*", metavar="method", help=f"of {', '.join(METHODS)}; all if none")
    parser.add_argument("--runs", type=int, default=200_000, help="of the fuzzer, a controller")
    parser.add_argument("--seed", type=int, default=1, help="of the fuzzer")
    parser.add_argument("--run", type=Path, help="a run or controller file, for bitflips")
    parser.add_argument("--json", action="store_true", help="print the whole result, not a line a method")
    arguments = parser.parse_args()
    if unknown := set(arguments.methods) - set(METHODS):
        parser.error(f"no method {', '.join(sorted(unknown))}; there are {', '.join(METHODS)}")
    document: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="assure-") as scratch:
        for name in arguments.methods or METHODS:
            try:
                document[name] = METHODS[name](arguments, Path(scratch) / name)
            except LtcEdgeError as error:
                print(f"{name}: {error}", file=sys.stderr)
                if error.exit_code == 2:
                    return 2
                document[name] = {"ok": False, "error": str(error)}
            print(f"{name}: {'holds' if document[name]['ok'] else 'DOES NOT HOLD'}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(document, indent=2))
    return 0 if all(result["ok"] for result in document.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
