"""Abstract interpretation: Frama-C's Eva follows a step for every input and every content of its memory.

It proves, of one controller, that `reset`, `restore` and `step` read and write within their arrays, read
nothing that was not written, shift and convert within range, and overflow no signed sum. Floats that are not
finite are values to it as any other: what they may do is tested by the harness.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assurance.building import call, write
from assurance.subjects import HARNESS, Subject

OPTIONS = (
    "-eva",
    "-eva-precision",
    "2",
    "-eva-slevel-function",
    "ltc_crc32:100000",
    "-warn-special-float",
    "none",
    "-machdep",
    "gcc_x86_64",
    "-kernel-warn-key",
    "parser:decimal-float=inactive",
)
DISCHARGED = {
    "ltc_encode_i16.c": "a float's bits say nothing to Eva; the branch before lets codes alone through",
    "ltc_i16_arithmetic.h": "how a word's halves or a row's sums relate is beyond intervals of types; "
    "the writer proves it of every generated controller, and refuses where it cannot",
}
"""Files of the int16 runtime in which Eva may warn of a signed overflow, and why there is none."""

_ALARM = re.compile(r"\[eva:alarm\] (\S+?):(\d+): Warning:\s*\n?\s*(.*)")


def analyse(subject: Subject, folder: Path) -> dict[str, Any]:
    """Analyse one controller.

    Returns:
        ``ok``, ``alarms`` (file, line and what may happen), those `DISCHARGED`, ``statements_reached``.

    Raises:
        InputError: Frama-C is not installed.
        CheckFailedError: it fails.
    """
    write(subject.files(), folder)
    sources = sorted(name for name in subject.files() if name.endswith(".c"))
    text = call(
        ["frama-c", *OPTIONS, "-cpp-extra-args=-I.", HARNESS / "analysis.c", *sources],
        folder,
        {**os.environ, "PWD": str(folder)},  # where Frama-C looks for sources
    )
    reached = re.search(r"(\d+) statements reached \(out of (\d+)\)", text)
    alarms, discharged = [], []
    for file, line, said in _ALARM.findall(text):
        known = file in DISCHARGED and said.startswith("signed overflow")
        (discharged if known else alarms).append(f"{file}:{line}: {' '.join(said.split())}")
    done = "done for function main" in text and reached is not None
    return {
        "ok": done and not alarms and "NON TERMINATING" not in text,
        "alarms": alarms,
        "discharged": discharged,
        "statements_reached": [int(number) for number in reached.groups()] if reached else None,
    }


def analyse_all(subjects: Iterable[Subject], folder: Path) -> dict[str, Any]:
    """Analyse many; ``ok`` and the result of each."""
    found = {s.label: analyse(s, folder / str(n)) for n, s in enumerate(subjects)}
    return {"ok": all(result["ok"] for result in found.values()), "subjects": found}
