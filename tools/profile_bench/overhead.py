"""What our harness adds to a step of about a microsecond.

A controller whose step is a chain of so many terms is timed by the harness of profiles, and by a program of
its own: a million steps between two readings of its processor time, and batches as long as ours. ``batches``
is ``step_us`` of a profile, from which an empty loop is subtracted; ``singles`` is its p50, from which a
reading of the clock is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.export.c import CSources
from ltc_edge.profiling.jobs import CJob, c_harness
from ltc_edge.profiling.settings import Settings
from profile_bench.in_turns import in_turns
from profile_bench.subject import last_cpu, spread
from profile_bench.turns import SOURCES, Turns, compiled

NAME, OBSERVATIONS = "stub", 4
STEP_US = 1.0
TRIAL_TERMS = 1000
MILLION = 1_000_000
FEED_ROWS = 256


def measure(rounds: int) -> dict[str, Any]:
    """Percent that the harness adds, by how steps are timed."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        terms = calibrated_terms(folder)
        program = _truth(folder, terms)
        with Turns([program], last_cpu(), MILLION) as truth, Turns([program], last_cpu()) as short:
            theirs = {NAME: {"million": truth, "batches": short}}
            found = in_turns([stub_job(terms)], None, theirs, rounds)[NAME]
    ours = [(figures["step_us"], figures["latency_us"]["p50"]) for figures, _ in found]
    report: dict[str, Any] = {"terms": terms}
    for what in ("million", "batches"):
        true = [theirs[what][0] for _, theirs in found]
        report[f"true_us, {what}"] = spread(true)
        for place, how in enumerate(("batches", "singles")):
            added = [100 * (each[place] / cost - 1) for each, cost in zip(ours, true, strict=True)]
            report[f"{how} add percent, against {what}"] = spread(added)
    return report


def calibrated_terms(folder: Path) -> int:
    """How many terms make a step of a microsecond here."""
    with Turns([_truth(folder, TRIAL_TERMS)], last_cpu()) as turns:
        step_us = float(np.median([turns.batch_us(1000) for _ in range(15)]))
    return round(TRIAL_TERMS * STEP_US / step_us)


def _truth(folder: Path, terms: int) -> Path:
    flags = (*Settings().compiler_flags, f"-DSTUB_WORK={terms}")
    return compiled("truth", folder, SOURCES / f"{NAME}.c", flags=flags)


def stub_job(terms: int) -> CJob:
    """What a profile sends of the stub."""
    source = f"#define STUB_WORK {terms}\n".encode() + (SOURCES / f"{NAME}.c").read_bytes()
    files = {f"{NAME}.c": source, f"{NAME}.h": (SOURCES / f"{NAME}.h").read_bytes()}
    feed = np.random.default_rng(0).normal(size=(FEED_ROWS, OBSERVATIONS + 1)).astype("<f4")
    sources = CSources(NAME, files, "float32")
    return CJob(NAME, sources, c_harness(NAME), feed.tobytes(), 1, sum(map(len, files.values())))
