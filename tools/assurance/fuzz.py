"""libFuzzer on a step: bytes become a context, observations and dt; every step must keep its invariants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assurance.building import STRICT, call, program, runtime_objects
from assurance.subjects import HARNESS, Subject

FLAGS = (
    "-std=c99",
    "-O1",
    "-ffp-contract=off",
    "-fno-sanitize-recover=all",
    "-fsanitize=fuzzer,address,undefined,float-divide-by-zero,float-cast-overflow,integer",
    f"-fsanitize-ignorelist={HARNESS / 'intended.txt'}",
)
LONGEST = 512
"""Bytes of an input: a context and eight steps of the subjects here fit."""


def fuzz(subjects: Iterable[Subject], runs: int, seed: int, folder: Path) -> dict[str, Any]:
    """Fuzz each subject for so many runs.

    Returns:
        ``ok``, and the blocks of code covered, by subject.

    Raises:
        InputError: clang is not installed.
        CheckFailedError: an invariant does not hold or a sanitizer reports; the message names the input.
    """
    found = {}
    library = tuple(flag.replace("=fuzzer,", "=fuzzer-no-link,") for flag in FLAGS)
    objects = runtime_objects("clang", library, folder / "runtime")
    for number, subject in enumerate(subjects):
        made = program(subject, "fuzz.c", "clang", (*STRICT, *FLAGS), objects, folder / str(number))
        text = call(
            [made, f"-runs={runs}", f"-seed={seed}", f"-max_len={LONGEST}", "-len_control=0"], made.parent
        )
        covered = [int(count) for count in re.findall(r"cov: (\d+)", text)]
        found[subject.label] = {"runs": runs, "covered": max(covered, default=0)}
    return {"ok": all(result["covered"] > 0 for result in found.values()), "seed": seed, "subjects": found}
