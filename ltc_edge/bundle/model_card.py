"""The model card: what a bundle holds, what it is for, and what was measured, for people."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ltc_edge.bundle.change_wording import changed
from ltc_edge.bundle.subject import Subject
from ltc_edge.bundle.tuning import Change
from ltc_edge.controller import Controller
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.verification.change import ChangeResult
from ltc_edge.verification.closed_loop import ClosedLoopResult, three_decimals
from ltc_edge.verification.report import FormatReport
from ltc_edge.verification.scored import ScoreResult


def model_card(
    subject: Subject,
    plan: QuantizationPlan | None,
    reports: Mapping[str, FormatReport],
    *,
    verified: bool,
    task_note: str | None,
    change: Change | None = None,
    cost: ChangeResult | None = None,
) -> str:
    """The card as Markdown."""
    controller = subject.controller
    parts = [
        f"# {_cell(controller.name)}",
        _what(subject),
        *([] if change is None else ["## Changed after training", changed(change, cost)]),
        "## Signals",
        _signals(controller, plan),
        _times(controller),
        "## Formats",
        _formats(reports),
        _verification(verified, task_note),
        *_firmware(reports),
    ]
    if plan is not None:
        parts += ["## Quantisation", _quantisation(plan)]
    parts += ["## Provenance", _provenance(controller), _caveats()]
    return "\n\n".join(parts) + "\n"


def _what(subject: Subject) -> str:
    controller = subject.controller
    task = "an unnamed task" if subject.source is None else f"`{subject.source.name}`"
    return (
        f"Controller: {controller.cell.kind}, of {controller.cell.units} units and "
        f"{controller.parameters_effective()} parameters ({controller.parameters_dense()} without sparsity), "
        f"for {task}; its outputs are meant for {controller.purpose}."
    )


def _signals(controller: Controller, plan: QuantizationPlan | None) -> str:
    rows = ["| signal | unit | limits | slew per second | fallback |", "|---|---|---|---|---|"]
    for index, signal in enumerate(controller.observations):
        reach = "" if plan is None else f"integer files saturate beyond {_span(plan, index)}"
        rows.append(f"| in: {_cell(signal.name)} | {_cell(signal.unit)} | {reach} | | |")
    for action, fallback in zip(controller.actions, controller.fallback.tolist(), strict=True):
        low, high = (_limit(value) for value in (action.low, action.high))
        rows.append(
            f"| out: {_cell(action.name)} | {_cell(action.unit)} | {low} to {high} | {_limit(action.slew)} | "
            f"{fallback:g} |"
        )
    return "\n".join(rows)


def _span(plan: QuantizationPlan, channel: int) -> str:
    observation = plan.coordinates.observation
    middle, reach = observation.center[channel], observation.span[channel]
    return f"{middle - reach:.4g} to {middle + reach:.4g}"


def _limit(value: float) -> str:
    return f"{value:g}" if math.isfinite(value) else "none"


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
        "| format | what | bytes | free run: RMS error, % of σ | worst error | RMS in the loop | task |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, report in reports.items():
        if report.status == "refused":
            rows.append(f"| {name} | refused ({report.reason}): {_cell(report.detail or '')} | | | | | |")
            continue
        summary = report.summary()
        rms, worst = summary["rms_over_sigma"], summary["max_abs_error"]
        rows.append(
            f"| {name} | {FORMATS[name].summary} | {report.bytes} | "
            f"{'' if rms is None else f'{100 * rms:.3g}'} | {'' if worst is None else f'{worst:.3g}'} | "
            f"{_in_the_loop(report)} | {_task(report)} |"
        )
    return "\n".join(rows)


def _firmware(reports: Mapping[str, FormatReport]) -> list[str]:
    """What the formats in C take of processors, where that was measured."""
    rows = [
        f"| {name} | {target} | {figures['flash_bytes']} | {figures['ram_bytes']} | "
        f"{figures['stack_bytes']} | {figures['instructions_per_step']} |"
        for name, report in reports.items()
        for target, figures in (report.firmware or {}).items()
        if "instructions_per_step" in figures
    ]
    if not rows:
        return []
    head = "| format | target | flash | RAM | stack | instructions a step |\n|---|---|---|---|---|---|"
    return [
        "\n".join([head, *rows]),
        "Bytes, the selftest included; instructions were counted in an emulator, and are no measure of time.",
    ]


def _in_the_loop(report: FormatReport) -> str:
    """What the file adds to each action in the loop itself, and what that is of how the action moves."""
    task = None if report.verdict is None else report.verdict.task
    if not isinstance(task, ClosedLoopResult):
        return ""
    pairs = zip(task.replay_rms, task.replay_sigma, strict=True)
    return ", ".join(
        f"{rms:.2g}" + (f" ({100 * rms / s:.2g} % of its σ)" if s > 0 else "") for rms, s in pairs
    )


def _task(report: FormatReport) -> str:
    task = None if report.verdict is None else report.verdict.task
    if isinstance(task, ClosedLoopResult):
        low, high = (three_decimals(value) for value in task.lost_ci95)
        return (
            f"return {task.return_mean:.6g}, lost {three_decimals(task.return_lost_percent)} % "
            f"({low} to {high} %) over {task.episodes} episodes"
        )
    if isinstance(task, ScoreResult):
        lost = three_decimals(task.lost_percent)
        return f"{task.metric} {task.value:.6g}, {lost} % worse, {task.samples} rows"
    return "not run"


def _verification(verified: bool, task_note: str | None) -> str:
    if not verified:
        return "**Not verified**: exported with --no-verify."
    text = (
        "Verified against a float64 reference of the trained controller: single steps, and 10,000 free steps "
        "on made-up sensor values at irregular times, by whose σ the errors are measured; those without % "
        "are in the actuators' units."
    )
    if task_note is None:
        return (
            f"{text} The loop's column is of the float controller's first episode, fed to the file. "
            "Losses are against the float controller on the same seeds, with their 95 % interval."
        )
    return (
        f"{text} **The task was not tried** ({task_note}), so nothing here says that the controller does its "
        "job."
    )


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
            "tensors have proved ranges. RMS error of the action, by its σ in the first steps of that "
            "calibration, when only this is rounded:",
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
