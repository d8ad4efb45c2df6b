"""The document of a profile, from what was found; docs/profile-format.md."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.profiling.baseline import FORMAT, SCHEMA, regressions
from ltc_edge.profiling.budgets import broken, judge
from ltc_edge.profiling.operations import operations
from ltc_edge.profiling.parameter_bytes import parameter_bytes
from ltc_edge.profiling.recommendation import recommend
from ltc_edge.profiling.request import Findings, Request
from ltc_edge.profiling.subject import BundleSubject, ModelSubject, Subject
from ltc_edge.verification.tolerances import TOLERANCES
from ltc_edge.version import __version__


def profile_document(
    subject: Subject, request: Request, findings: Findings, baseline: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What was asked for and found, as JSON.

    Args:
        subject: what was profiled.
        request: how.
        findings: of it.
        baseline: its comparison with an earlier profile.
    """
    rows = findings.rows
    if isinstance(subject, BundleSubject):
        for name, row in rows.items():
            judge_accuracy(row, name)
            _add_what_is_known(row, subject, name)
    judged = judge(request.limits, rows)
    valid = not findings.problems
    # A single model of somebody else's has nothing to be chosen from.
    trusted = (
        (valid or request.allow_throttled) and not findings.partial and isinstance(subject, BundleSubject)
    )
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        "ltc_edge": __version__,
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "target": request.target,
        "kind": request.kind,
        "subject": describe_subject(subject),
        "valid": valid,
        "problems": findings.problems,
        "partial": findings.partial,
        **_about(subject),
        "settings": request.settings.to_json(),
        "device": findings.device,
        "formats": rows,
        "recommendation": recommend(request.kind, rows, judged) if trusted else None,
        "budgets": judged,
        "baseline": baseline,
    }


ACCURACY_MARGIN = 2.0
"""How much worse than its tolerance a format may be here: a few hundred steps tell less than ten thousand."""


def judge_accuracy(row: dict[str, Any], name: str) -> None:
    """A format whose actions are wrong on this target has failed there, however fast it is.

    Args:
        row: of the profile; changed.
        name: of the format.
    """
    if row["status"] != "ok" or "rms_over_sigma" not in row:
        return
    share, allowed = row["rms_over_sigma"], ACCURACY_MARGIN * TOLERANCES[name].rms_over_sigma
    if row["max_abs_error"] is None:
        detail = "gave an action that is no number"
    elif share is not None and share > allowed:
        detail = (
            f"its actions are off by {100 * share:.3g} % of their deviation, allowed {100 * allowed:.3g} %"
        )
    else:
        return
    row |= {"status": "failed", "reason": "accuracy", "detail": detail}


def _add_what_is_known(row: dict[str, Any], subject: BundleSubject, name: str) -> None:
    """What the bundle itself says of a format."""
    verified = subject.verified.get(name, {})
    for key in ("return_mean", "return_lost_percent"):
        value = verified.get(key)
        # The bundle may be anybody's, and JSON of Python's knows NaN.
        row[key] = value if isinstance(value, float | int) and math.isfinite(value) else None
    row["parameter_bytes"] = parameter_bytes(subject.artifacts[name])


def describe_subject(subject: Subject) -> dict[str, Any]:
    """What was profiled, as the profile has it."""
    bundle = isinstance(subject, BundleSubject)
    name = subject.controller.name if isinstance(subject, BundleSubject) else subject.path.name
    kind = "bundle" if bundle else "model"
    return {"path": str(subject.path), "kind": kind, "name": name, "sha256": subject.sha256}


def _about(subject: Subject) -> dict[str, Any]:
    if isinstance(subject, ModelSubject):
        return {"parameters_effective": None, "parameters_dense": None, "controller": None}
    controller = subject.controller
    return {
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
        "controller": _controller(controller),
    }


def _controller(controller: Controller) -> dict[str, Any]:
    cell = controller.cell
    wiring = getattr(cell, "wiring", None)
    synapses = None if wiring is None else len(wiring.synapses) + len(wiring.sensory_synapses)
    return {
        "cell": cell.kind,
        "units": cell.units,
        "inputs": cell.inputs,
        "actions": len(controller.actions),
        "period_s": controller.timing.period_s,
        "synapses": synapses,
        "operations": {stage: counted.to_json() for stage, counted in operations(controller).items()},
    }


def not_run(document: Mapping[str, Any], named: Sequence[str]) -> list[str]:
    """Formats that broke, or did not run although they were named, or none did; a line each."""
    rows = document["formats"]
    lines = {
        name: f"{name}: {row['status']} ({row['reason']}): {row['detail']}"
        for name, row in rows.items()
        if row["status"] != "ok"
    }
    insisted = [line for name, line in lines.items() if name in named or rows[name]["status"] == "failed"]
    return insisted or (list(lines.values()) if len(lines) == len(rows) else [])


def broken_checks(document: Mapping[str, Any], *, allow_throttled: bool) -> list[str]:
    """What does not hold of what was measured: the figures cannot be trusted, a budget is broken, something
    became slower; a line each."""
    failures = [] if allow_throttled else list(document["problems"])
    if failures:
        failures[0] += "; --allow-throttled lets it pass"
    failures += broken(document["budgets"])
    return failures + ([] if document["baseline"] is None else regressions(document["baseline"]))
