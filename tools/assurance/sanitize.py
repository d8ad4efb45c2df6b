"""Sanitizers: the harness with every instrument of gcc and clang, for inputs good and bad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from assurance.building import STRICT, call, program, runtime_objects
from assurance.subjects import HARNESS, Subject
from ltc_edge.errors import CheckFailedError

_COMMON = (
    "-std=c99",
    "-O1",
    "-ffp-contract=off",
    "-fno-sanitize-recover=all",
)
INSTRUMENTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "gcc": (
        "gcc",
        ("-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow,bounds-strict",),
    ),
    "clang": (
        "clang",
        (
            "-fsanitize=address,undefined,float-divide-by-zero,float-cast-overflow,integer,implicit-conversion,"
            "local-bounds,nullability",
            f"-fsanitize-ignorelist={HARNESS / 'intended.txt'}",
        ),
    ),
    "clang memory": ("clang", ("-fsanitize=memory", "-fsanitize-memory-track-origins=1")),
}
"""Compiler and flags of each set of instruments; ``memory`` excludes ``address``."""


def flags_of(instruments: str) -> tuple[str, ...]:
    """How a compiler is told to put instruments in."""
    return (*_COMMON, *INSTRUMENTS[instruments][1])


def sanitize(subjects: Iterable[Subject], instruments: str, folder: Path) -> dict[str, Any]:
    """Run the harness of every subject.

    Returns:
        ``ok``, and of every subject ``clean`` or what was said.

    Raises:
        InputError: the compiler is not installed.
        CheckFailedError: the runtime does not compile.
    """
    compiler = INSTRUMENTS[instruments][0]
    objects = runtime_objects(compiler, flags_of(instruments), folder / "runtime")
    found = {}
    for number, subject in enumerate(subjects):
        found[subject.label] = run_harness(subject, instruments, objects, folder / str(number))
    return {"ok": all(said == "clean" for said in found.values()), "subjects": found}


def run_harness(subject: Subject, instruments: str, objects: Iterable[Path], folder: Path) -> str:
    """Build and run the harness of one subject; ``clean``, or what was said."""
    compiler = INSTRUMENTS[instruments][0]
    try:
        made = program(subject, "harness.c", compiler, (*STRICT, *flags_of(instruments)), objects, folder)
        call([made], folder)
    except CheckFailedError as failed:
        return str(failed)
    return "clean"
