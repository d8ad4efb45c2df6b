"""The model card: what a bundle holds, what it is for, and what was measured, for people."""

from __future__ import annotations

from collections.abc import Mapping

from ltc_edge.bundle.subject import Subject
from ltc_edge.controller import Controller
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.verification.closed_loop import ClosedLoopResult
from ltc_edge.verification.report import FormatReport
from ltc_edge.verification.scored import ScoreResult


def model_card(
    subject: Subject,
    plan: QuantizationPlan | None,
    reports: Mapping[str, FormatReport],
    *,
    verified: bool,
    task_note: str | None,
) -> str:
    """The card as Markdown."""
    controller = subject.controller
    parts = [
        f"# {_cell(controller.name)}",
        _what(subject),
        "## Signals",
        _signals(controller),
        _times(controller),
        "## Formats",
        _formats(reports),
        _verification(verified, task_note),
    ]
    if plan is not None:
        parts += ["## Quantisation", _quantisation(plan)]
    parts += ["## Provenance", _provenance(controller), _caveats()]
    return "\n\n".join(parts) + "\n"


def _what(subject: Subject) -> str:
    controller = subject.controller
    task = "an unnamed task" if subject.source is None else f"`{subject.source.name}`"
    return (
        f"A {controller.cell.kind} controller of {controller.cell.units} units and "
        f"{controller.parameters_effective()} parameters ({controller.parameters_dense()} without sparsity), "
        f"for {task}; its outputs are meant for {controller.purpose}."
    )


def _signals(controller: Controller) -> str:
    rows = ["| signal | unit | limits | slew per second |", "|---|---|---|---|"]
    rows += [f"| in: {_cell(s.name)} | {_cell(s.unit)} | | |" for s in controller.observations]
    rows += [
        f"| out: {_cell(s.name)} | {_cell(s.unit)} | {s.low:g} to {s.high:g} | {s.slew:g} |"
        for s in controller.actions
    ]
    return "\n".join(rows)


def _cell(text: str) -> str:
    """Text that cannot break a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _times(controller: Controller) -> str:
    timing = controller.timing
    return (
        f"Period {timing.period_s:g} s; the time since the last step may be {timing.dt_min_s:g} to "
        f"{timing.dt_max_s:g} s, and is clamped to that."
    )


def _formats(reports: Mapping[str, FormatReport]) -> str:
    rows = [
        "| format | what | bytes | free run: RMS error, % of σ | worst error | task |",
        "|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        what = FORMATS[name].summary
        if report.status == "refused":
            rows.append(f"| {name} | refused ({report.reason}): {_cell(report.detail or '')} | | | | |")
            continue
        summary = report.summary()
        rms, worst = summary["rms_over_sigma"], summary["max_abs_error"]
        rows.append(
            f"| {name} | {what} | {report.bytes} | {'' if rms is None else f'{100 * rms:.3g}'} | "
            f"{'' if worst is None else f'{worst:.3g}'} | {_task(report)} |"
        )
    return "\n".join(rows)


def _task(report: FormatReport) -> str:
    task = None if report.verdict is None else report.verdict.task
    if isinstance(task, ClosedLoopResult):
        low, high = task.lost_ci95
        return (
            f"return {task.return_mean:.6g}, lost {task.return_lost_percent:.3g} % "
            f"({low:.3g} to {high:.3g} %) over {task.episodes} episodes"
        )
    if isinstance(task, ScoreResult):
        return f"{task.metric} {task.value:.6g}, {task.lost_percent:.3g} % worse, {task.samples} rows"
    return ""


def _verification(verified: bool, task_note: str | None) -> str:
    if not verified:
        return "**Not verified**: exported with --no-verify."
    text = (
        "Verified against a float64 reference of the trained controller: single steps at the corners, "
        "10,000 free steps at irregular times, and the task. Losses are against the float controller on the "
        "same seeds, with their 95 % interval."
    )
    return text if task_note is None else f"{text} The task was not run: {task_note}."


def _quantisation(plan: QuantizationPlan) -> str:
    rows = ["| what costs most | 16 bits, % of σ | 8 bits, % of σ |", "|---|---|---|"]
    for entry in plan.sensitivity[:8]:
        sixteen = "" if entry.percent16 is None else f"{entry.percent16:.3g}"
        rows.append(f"| {entry.kind} `{entry.name}` | {sixteen} | {entry.percent8:.3g} |")
    proved = sum(tensor.proved for tensor in plan.tensors.values())
    used = "; ".join(plan.calibration["sources"])
    return "\n".join(
        [
            f"Calibrated on {plan.calibration['steps']} steps ({used}). {proved} of {len(plan.tensors)} "
            "tensors have proved ranges. RMS error of the action when only this is rounded:",
            "",
            *rows,
        ]
    )


def _provenance(controller: Controller) -> str:
    lines = [f"- {_cell(name)}: {_cell(value)}" for name, value in sorted(controller.provenance.items())]
    return "\n".join(lines) or "Not recorded."


def _caveats() -> str:
    return (
        "Returns are from simulation, and nothing was measured on the target. Feed raw sensor values; on a "
        "reading that is missing or not finite, apply the fallback action and do not step."
    )
