"""Flags of ``--baseline`` among equal controllers, and among ones that were made slower on purpose.

Each run times every format twice in turns, as a profile with an earlier bundle does, and each format in C
against itself with a fifth of its work on top, which nothing needs. With a JSON as the baseline, a run is
compared with the one before. Of a runtime in Python the slow-down is not real: the recorded rounds are
multiplied by 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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
BEFORE = ".before"
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
    """A bench that leaves out what a profile measures besides steps."""

    def _finish(self, runner: Runner) -> None:
        runner.stop()


def measure(bundle: Bundle, runs: int) -> dict[str, Any]:
    """How many were flagged of how many, by case and format, and the ratios that were seen."""
    jobs = {name: bundle.job(name) for name in FORMATS}
    in_c = {name: job for name, job in jobs.items() if isinstance(job, CJob)}
    slow = {name: _slower(job, bundle.inputs) for name, job in in_c.items()}
    entries: dict[str, dict[str, list[dict[str, Any]]]] = {}
    states, earlier = [], dict[str, Row]()
    for _ in range(runs):
        states.append(machine_state())
        now, before = _timed(jobs, jobs, bundle.inputs)
        planted, partner = _timed(slow, in_c, bundle.inputs)
        scaled = {name: _scaled(row) for name, row in now.items() if name not in slow}
        for case, then, rows in (
            ("equal, in turns", before, now),
            ("planted, in turns", {**before, **partner}, {**scaled, **planted}),
            ("equal, with the JSON before", earlier, now),
            ("planted, with the JSON before", earlier, {**scaled, **planted}),
        ):
            if then:
                found = compare(Path(case), then, rows, interleaved=case.endswith("turns"))
                for name, entry in found["formats"].items():
                    entries.setdefault(case, {}).setdefault(name, []).append(entry)
        earlier = now
    return {"machine": states, "cases": {case: _counted(found) for case, found in entries.items()}}


def _counted(found: Mapping[str, Sequence[dict[str, Any]]]) -> dict[str, Any]:
    return {
        name: {
            "flagged": sum(entry["regression"] for entry in entries),
            "of": len(entries),
            "ratios": [entry["ratio"] for entry in entries],
        }
        for name, entries in found.items()
    }


def _timed(jobs: Mapping[str, Job], before: Mapping[str, Job], inputs: Inputs) -> tuple[Rows, Rows]:
    """Rows of jobs and of those before, each beside its partner."""
    pairs = [(job, replace(before[name], name=name + BEFORE)) for name, job in jobs.items()]
    with AgentLink(Local()) as link:
        bench = StepsAlone(link, [job for pair in pairs for job in pair], inputs, Settings(), lambda *_: None)
        bench.run(connect(link, []))
    for name, row in bench.rows.items():
        if row["status"] != "ok":
            raise CheckFailedError(f"{name}: {row['detail']}")
    return {name: bench.rows[name] for name in jobs}, {name: bench.rows[name + BEFORE] for name in jobs}


def _scaled(row: Row) -> Row:
    return row | {"rounds_us": [SLOWER * taken for taken in row["rounds_us"]]}


def _wasting(job: CJob, terms: int) -> CJob:
    """The same, with terms of a chain before each step."""
    header, name = "harness_controller.h", job.sources.name
    glue = job.harness[header].decode().replace(f"harness_step {name}_step", "harness_step harness_slow")
    glue += _WASTE.format(terms=terms, name=name)
    return replace(job, harness={**job.harness, header: glue.encode()})


def _slower(job: CJob, inputs: Inputs) -> CJob:
    """Slower by a fifth, as far as can be told here."""
    trial, plain = _timed({job.name: _wasting(job, TRIAL_TERMS)}, {job.name: job}, inputs)
    taken = plain[job.name]["step_us"]
    term_us = (trial[job.name]["step_us"] - taken) / TRIAL_TERMS
    return _wasting(job, round((SLOWER - 1) * taken / term_us))
