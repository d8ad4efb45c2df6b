"""``ltc-edge export``: from a subject to a verified bundle."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.bundle import calibration as sources
from ltc_edge.bundle.contents import contents, manifest
from ltc_edge.bundle.firmware import with_firmware
from ltc_edge.bundle.folder import refuse_existing, write_bundle
from ltc_edge.bundle.quantization import plan_formats
from ltc_edge.bundle.subject import Subject
from ltc_edge.bundle.tuning import Change, TuningOptions, tune
from ltc_edge.controller import Controller
from ltc_edge.errors import (
    ControllerFileError,
    FormatRefusedError,
    MissingExtraError,
    MissingToolError,
    OutputError,
    VerificationFailedError,
)
from ltc_edge.export.artifacts import Artifact, Refusal, make_artifact
from ltc_edge.export.c.names import check_name
from ltc_edge.export.calibration import Sequences
from ltc_edge.export.formats import FORMATS, HUB
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import Affine
from ltc_edge.files import write_atomically
from ltc_edge.runtimes.exported import exported_stepper
from ltc_edge.verification.change import ChangeResult, compare
from ltc_edge.verification.closed_loop import EPISODES
from ltc_edge.verification.divergence import diverging_tensor
from ltc_edge.verification.report import FormatReport, report_bytes
from ltc_edge.verification.task_trial import load_source, task_trial
from ltc_edge.verification.tolerances import TOLERANCES
from ltc_edge.verification.verify import TaskTrial, Trials, verify

OnShare = Callable[[str, float], None]
"""(what is being done, share of it that is done)."""


@dataclass(frozen=True)
class ExportOptions:
    """What the user chose.

    Attributes:
        formats: names of formats; the hub is always made.
        tolerate_refusals: whether formats that cannot be had are listed instead of failing the export.
        calibration: recording of the user's own to calibrate with.
        calibration_time: its column of the time.
        percentile: share of the calibration that unproved ranges cover, in percent.
        verify: whether to verify.
        episodes: of the closed loop.
        atol, rtol: in the place of the table's tolerance for a step.
        c_name: what the names of formats in C begin with; made of the controller's where not given.
        force: replace a bundle.
        tuning: what to change of the controller before it is exported.
    """

    formats: Sequence[str] = tuple(FORMATS)
    tolerate_refusals: bool = True
    calibration: Path | None = None
    calibration_time: str | None = None
    percentile: float = 100.0
    verify: bool = True
    episodes: int = EPISODES
    atol: float | None = None
    rtol: float | None = None
    c_name: str | None = None
    force: bool = False
    tuning: TuningOptions = field(default_factory=TuningOptions)


@dataclass(frozen=True)
class ExportResult:
    """What became of an export.

    Attributes:
        reports: of the formats, by name.
        task_note: why the task was not run, if it was not.
        doubt: what the figures rest on, where that is in doubt.
        change: what was changed of the trained controller, if anything was.
        cost: what that costs of the task; None where nothing was changed, or the task was not run.
    """

    reports: Mapping[str, FormatReport]
    task_note: str | None
    doubt: str | None
    change: Change | None = None
    cost: ChangeResult | None = None


def export_bundle(
    subject: Subject, path: Path, options: ExportOptions, on_share: OnShare = lambda _, __: None
) -> ExportResult:
    """Write a bundle of ``subject`` to ``path``.

    Raises:
        OutputError: ``path`` is taken or cannot be written.
        FormatRefusedError: a format that was asked for by name cannot be had.
        VerificationFailedError: a file does not do what its controller does; no bundle is left, and the
            report lies beside its place.
        InputError: the calibration cannot be used.
    """
    refuse_existing(path, force=options.force)
    if options.c_name is not None:
        check_name(options.c_name)
    loaded, task_note = load_source(subject.source)
    task_note = None if task_note is None else f"{task_note}{_trained_on(subject)}"
    wanted = [FORMATS[name] for name in dict.fromkeys((HUB.name, *options.formats))]
    recording = _recording(subject.controller, options)
    integers = any(form.arithmetic == "integer" for form in wanted)
    subject, change = tune(subject, loaded, recording, options.tuning, integers=integers, on_share=on_share)
    controller = subject.controller
    on_share("calibration", 0.0)
    about = None if recording is None else sources.values_of(recording)
    plan = plan_formats(
        controller,
        loaded,
        wanted,
        recording,
        percentile=options.percentile,
        played_by=None if change is None else change.played_by,
    )
    made = [make_artifact(form, controller, plan, options.c_name) for form in wanted]
    _refuse(made, options)
    reports: dict[str, FormatReport] = {}
    trials, cost = None, None
    if options.verify:
        on_share("reference", 0.0)
        trial = task_trial(
            loaded, subject.trained, episodes=options.episodes, on_share=lambda s: on_share("reference", s)
        )
        if change is not None and trial is not None:
            cost = _cost(loaded, change, trial, options)
        trials = Trials.of(subject.trained, trial, task_note, about)
        usable = None if isinstance(plan, Refusal) else plan
        made, reports = _verify_all(made, controller, usable, trials, options, on_share)
        _refuse(made, options)
        made = _settle(made, reports, options, path, task_note)
    reports = {item.form.name: _report(item, reports.get(item.form.name)) for item in made}
    if options.verify:
        on_share("firmware", 0.0)
        reports = with_firmware(reports, made, controller)
    files = contents(
        subject,
        made,
        plan if isinstance(plan, QuantizationPlan) else None,
        reports,
        task_note,
        verified=options.verify,
        change=change,
        cost=cost,
    )
    described = manifest(subject, made, about, _stages_of(trials), change, cost)
    write_bundle(path, described, files, force=options.force)
    with contextlib.suppress(OSError):
        _failure_report(path).unlink(missing_ok=True)
    note = task_note if options.verify else None
    return ExportResult(reports, note, _doubts(controller, loaded, about), change, cost)


def _stages_of(trials: Trials | None) -> list[str]:
    """Names of the trials that formats were put through."""
    if trials is None:
        return []
    return ["single_steps", "free_run", *([] if trials.task is None else ["task"])]


def _cost(loaded: Any, change: Change, trial: TaskTrial, options: ExportOptions) -> ChangeResult:
    """What the change costs of the task.

    Raises:
        VerificationFailedError: too much.
    """
    cost = compare(loaded, change.trained, trial, episodes=options.episodes)
    if cost.failure is not None:
        remedy = "take more --unfolds" if change.phases else "add --finetune, or take more --unfolds"
        raise VerificationFailedError(f"{cost.failure}; no bundle was written: {remedy}", {})
    return cost


def _doubts(controller: Controller, loaded: Any, about: Affine | None) -> str | None:
    """What the user should know of the sensor values that everything rests on."""
    normalizer = controller.normalizer
    if (
        loaded is not None
        or about is not None
        or not ((normalizer.offset == 0) & (normalizer.scale == 1)).all()
    ):
        return None
    return (
        "nobody said what the sensor values are like: ranges and errors are for values of about -1 to 1, and "
        "integer files saturate beyond some 6; give a recording with --calibration FILE"
    )


def _trained_on(subject: Subject) -> str:
    """What the file itself says about its task, where nobody else does."""
    task = subject.trained.provenance.get("task")
    if subject.source is not None or task is None:
        return ""
    return f"; it was trained on {task}: try --task {task}"


def _report(item: Artifact | Refusal, verified: FormatReport | None) -> FormatReport:
    if isinstance(item, Refusal):
        return FormatReport.refused(item, None if verified is None else verified.verdict)
    return verified or FormatReport.unverified(item.bytes)


def _recording(controller: Controller, options: ExportOptions) -> Sequences | None:
    """The user's own recording, checked."""
    if options.calibration is None:
        return None
    recording = sources.from_file(options.calibration, controller, options.calibration_time)
    recording.check(controller)
    return recording


def _refuse(made: Sequence[Artifact | Refusal], options: ExportOptions) -> None:
    """A format asked for by name must be had."""
    for refusal in made:
        if isinstance(refusal, Refusal) and not options.tolerate_refusals:
            message = f"{refusal.form.name}: refused ({refusal.reason}): {refusal.detail}"
            if refusal.reason in (MissingExtraError.reason, MissingToolError.reason):
                raise MissingExtraError(message)
            raise FormatRefusedError(refusal.reason, message)


def _verify_all(
    made: Sequence[Artifact | Refusal],
    controller: Controller,
    plan: QuantizationPlan | None,
    trials: Trials,
    options: ExportOptions,
    on_share: OnShare,
) -> tuple[list[Artifact | Refusal], dict[str, FormatReport]]:
    """Reports by format; what cannot be run here becomes a refusal, since nobody would know that it works."""
    tried: list[Artifact | Refusal] = []
    reports: dict[str, FormatReport] = {}
    for item in made:
        tried.append(item)
        if isinstance(item, Artifact):
            try:
                report = verify_artifact(item, controller, plan, trials, options, on_share)
                reports[item.form.name] = report
            except MissingExtraError as missing:
                tried[-1] = Refusal(item.form, missing.reason, str(missing))
            except ControllerFileError as refused:
                tried[-1] = Refusal(item.form, "runtime", str(refused))
    return tried, reports


def verify_artifact(
    artifact: Artifact,
    controller: Controller,
    plan: QuantizationPlan | None,
    trials: Trials,
    options: ExportOptions,
    on_share: OnShare,
) -> FormatReport:
    """Put one file through its trials."""
    name = artifact.form.name
    with np.errstate(all="ignore"):  # what overflows in a bad file is reported as its error
        stepper = exported_stepper(artifact, controller)
        verdict = verify(
            stepper,
            trials,
            TOLERANCES[name].overridden(options.atol, options.rtol),
            diverging=lambda step: diverging_tensor(artifact, controller, plan, trials.run, step),
            on_share=lambda share: on_share(name, share),
        )
    return FormatReport.verified(artifact.bytes, verdict)


def _settle(
    made: Sequence[Artifact | Refusal],
    reports: dict[str, FormatReport],
    options: ExportOptions,
    path: Path,
    task_note: str | None,
) -> list[Artifact | Refusal]:
    """Leave out what fails where all was asked for; else, or where the hub fails, fail."""
    settled: list[Artifact | Refusal] = []
    failed: dict[str, str] = {}
    for item in made:
        report = reports.get(item.form.name)
        if isinstance(item, Refusal) or report is None:
            settled.append(item)
        elif report.failures and (item.form is HUB or not options.tolerate_refusals):
            failed[item.form.name] = report.failures[0]
        elif report.failures:
            settled.append(Refusal(item.form, "accuracy", "; ".join(report.failures)))
        elif item.form.needs_task and options.tolerate_refusals and report.lacks_task:
            detail = "only its task can show whether 8 bits are enough, and it was not run"
            settled.append(Refusal(item.form, "untested", detail))
        else:
            settled.append(item)
    if failed:
        name, failure = next(iter(failed.items()))
        more = f" ({', '.join(list(failed)[1:])} failed too)" if len(failed) > 1 else ""
        raise VerificationFailedError(
            f"{name}: {failure}{more}; no bundle was written, {_write_failure(path, reports, task_note)}. "
            "Leave the format out, or describe the inputs better with --calibration FILE",
            reports,
        )
    return settled


def _write_failure(path: Path, reports: Mapping[str, FormatReport], task_note: str | None) -> str:
    where = _failure_report(path)
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(where, report_bytes(reports, task_note))
    except (OutputError, OSError) as error:
        return f"nor the report ({error})"
    return f"the report is {where}"


def _failure_report(path: Path) -> Path:
    return path.with_name(f"{path.name}.failed.json")
