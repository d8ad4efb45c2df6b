"""Flags of ``--baseline`` among equal controllers, and among ones that were made slower on purpose.

Each run times every format twice in turns, as a profile with an earlier bundle does, and each format in C
also with work on top that nothing needs, a fifth of its own. With a JSON as the baseline, a run is compared
with the one before. Of a runtime in Python the slow-down is not real: the recorded rounds are multiplied by
1.2. Programs are built once, and started anew for each run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.errors import CheckFailedError
from ltc_edge.profiling.agent_link import AgentLink
from ltc_edge.profiling.baseline import compare
from ltc_edge.profiling.inputs import Inputs
from ltc_edge.profiling.jobs import CJob, Job
from ltc_edge.profiling.linux import Bench, connect
from ltc_edge.profiling.places import Local
from ltc_edge.profiling.runner import Runner
from ltc_edge.profiling.settings import Settings
from profile_bench.subject import Bundle, machine_state

FORMATS = ("c-float32", "c-int16", "onnx", "tflite")
SLOWER = 1.2
TRIAL_TERMS = 200
BEFORE, SLOW, TRIAL = ".before", ".slow", ".trial"
Row = dict[str, Any]
Rows = dict[str, Row]

_WASTE = """
static volatile float harness_waste = 1.0F;
static uint32_t harness_slow(harness_context *context, const float *observation, float dt_s, float *action)
{{
    float waste = harness_waste;
    for (int term = 0; term < {terms}; ++term) {{
        waste = 0.5F * waste + 1.0F;
    }}
    harness_waste = waste;
    return {name}_step(context, observation, dt_s, action);
}}
"""


class StepsAlone(Bench):
    """A bench that leaves out what a profile measures besides steps.

    Args:
        link, jobs, inputs: as for a profile.
        built: programs of earlier runs on this link, which are not built again; each is started anew.
    """

    def __init__(
        self, link: AgentLink, jobs: Sequence[Job], inputs: Inputs, built: dict[str, Runner]
    ) -> None:
        super().__init__(link, jobs, inputs, Settings(), lambda *_: None)
        self._built = built

    def _prepare(self, inventory: Mapping[str, Any]) -> None:
        if not self._built:
            super()._prepare(inventory)
            self._built |= self._runners
        self._runners = dict(self._built)

    def _finish(self, runner: Runner) -> None:
        runner.stop()


def measure(bundle: Bundle, runs: int) -> dict[str, Any]:
    """How many were flagged of how many, by case and format, and the ratios that were seen."""
    entries: dict[str, dict[str, list[dict[str, Any]]]] = {}
    states, earlier, built = [], dict[str, Row](), dict[str, Runner]()
    with AgentLink(Local()) as link:
        jobs = list(_jobs(link, bundle))
        for _ in range(runs):
            states.append(machine_state())
            rows = _timed(link, jobs, bundle.inputs, built)
            now = {name: rows[name] for name in FORMATS}
            before = {name: rows[name + BEFORE] for name in FORMATS}
            slow = {name: rows.get(name + SLOW) or _scaled(row) for name, row in now.items()}
            for case, then, found in (
                ("equal, in turns", before, now),
                ("planted, in turns", before, slow),
                ("equal, with the JSON before", earlier, now),
                ("planted, with the JSON before", earlier, slow),
            ):
                if then:
                    compared = compare(Path(case), then, found, interleaved=case.endswith("turns"))
                    for name, entry in compared["formats"].items():
                        entries.setdefault(case, {}).setdefault(name, []).append(entry)
            earlier = now
    return {"machine": states, "cases": {case: _counted(found) for case, found in entries.items()}}


def _jobs(link: AgentLink, bundle: Bundle) -> Iterator[Job]:
    """Each format, the same one to compare it with, and beside it a slower one where it is in C."""
    for name in FORMATS:
        job = bundle.job(name)
        if isinstance(job, CJob):
            job = _without_stages(job)
        yield job
        yield replace(job, name=name + BEFORE)
        if isinstance(job, CJob):
            yield replace(_slower(link, job, bundle.inputs), name=name + SLOW)


def _counted(found: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    return {
        name: {
            "flagged": sum(entry["regression"] for entry in entries),
            "of": len(entries),
            "ratios": [entry["ratio"] for entry in entries],
        }
        for name, entries in found.items()
    }


def _timed(link: AgentLink, jobs: Sequence[Job], inputs: Inputs, built: dict[str, Runner]) -> Rows:
    """The row of each job.

    Raises:
        CheckFailedError: one could not be timed.
    """
    bench = StepsAlone(link, jobs, inputs, built)
    bench.run(connect(link, []))
    for name, row in bench.rows.items():
        if row["status"] != "ok":
            raise CheckFailedError(f"{name}: {row['detail']}")
    return bench.rows


def _scaled(row: Row) -> Row:
    return row | {"rounds_us": [SLOWER * taken for taken in row["rounds_us"]]}


def _wasting(job: CJob, terms: int) -> CJob:
    """The same, with terms of a chain before each step."""
    header, name = "harness_controller.h", job.sources.name
    glue = job.harness[header].decode().replace(f"harness_step {name}_step", "harness_step harness_slow")
    glue += _WASTE.format(terms=terms, name=name)
    return replace(job, harness={**job.harness, header: glue.encode()})


def _without_stages(job: CJob) -> CJob:
    """The same, of which no second program is built to tell its parts."""
    name = f"{job.sources.name}.c"
    plain = job.sources.files[name].replace(b"/* Stage: ", b"/* ")
    return replace(job, sources=replace(job.sources, files={**job.sources.files, name: plain}))


def _slower(link: AgentLink, job: CJob, inputs: Inputs) -> CJob:
    """Slower by a fifth, as far as can be told here."""
    trial = replace(_wasting(job, TRIAL_TERMS), name=job.name + TRIAL)
    rows = _timed(link, [trial, job], inputs, {})
    ratio = np.median(np.divide(rows[trial.name]["rounds_us"], rows[job.name]["rounds_us"]))
    return _wasting(job, round(TRIAL_TERMS * (SLOWER - 1) / float(ratio - 1)))
