"""Branches of the runtime that the harness takes, over every kind of cell: gcc's counters, read by gcovr."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assurance.building import call, program, runtime_objects
from assurance.subjects import ROOT, RUNTIME, SPARSE, STEEP, Subject

FLAGS = ("-std=c99", "-O0", "--coverage", "-ffp-contract=off")
VARIANTS = (
    ("-DLTC_F32_VECTORS=1", "-DLTC_I16_NO_DIVISION=0"),
    ("-DLTC_F32_VECTORS=0", "-DLTC_I16_NO_DIVISION=1"),
)
"""The ways in which a float sub-step and an integer division are written; each is compiled and run."""

ENOUGH = (
    *("ltc", "ltc clamp", *STEEP, "ltc exponential"),
    "cfc pure",
    SPARSE,
)
"""Kinds that take every branch together."""


def coverage(subjects: Iterable[Subject], folder: Path) -> dict[str, Any]:
    """Run the harness of every subject in both variants.

    Returns:
        ``ok`` where every branch and line was taken, how many there are, and ``missed`` ones by line.

    Raises:
        InputError: gcc or gcovr is not installed.
        CheckFailedError: a harness or gcovr fails.
    """
    chosen = list(subjects)
    for index, variant in enumerate(VARIANTS):
        place = folder / f"variant{index}"
        flags = (*FLAGS, *variant, f"-I{RUNTIME}")
        objects = runtime_objects("gcc", flags, place / "runtime")
        for number, subject in enumerate(chosen):
            made = program(subject, "harness.c", "gcc", flags, objects, place / str(number))
            call([made], made.parent)
    text = call(
        ["gcovr", "--root", ROOT, "--filter", f"{RUNTIME}/", "--json", folder / "report.json", folder], folder
    )
    report = folder / "report.json"
    assert report.is_file(), text
    return _summary(json.loads(report.read_text(encoding="utf-8")))


def _summary(report: dict[str, Any]) -> dict[str, Any]:
    lines = branches = 0
    missed = []
    files = set()
    for file in report["files"]:
        name = Path(file["file"]).name
        files.add(name)
        for line in file["lines"]:
            if line["gcovr/noncode"]:
                continue
            taken = [branch["count"] for branch in line["branches"]]
            lines += 1
            branches += len(taken)
            if line["count"] == 0 or 0 in taken:
                missed.append(f"{name}:{line['line_number']}")
    uncounted = sorted({path.name for path in RUNTIME.glob("*.c")} - files)
    return {
        "ok": not missed and not uncounted,
        "lines": lines,
        "branches": branches,
        "missed": missed,
        "files_never_run": uncounted,
    }
