"""Profiling a bundle or a model on a target."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ltc_edge.errors import DeviceError, InputError
from ltc_edge.profiling.agent_link import AgentLink, RemoteError
from ltc_edge.profiling.baseline import compare, read_baseline, refuse_other_device
from ltc_edge.profiling.budgets import refuse_unmeasured
from ltc_edge.profiling.document import profile_document
from ltc_edge.profiling.emulated import profile_emulated
from ltc_edge.profiling.ending import EndedError, Ending
from ltc_edge.profiling.inputs import Inputs, profile_inputs
from ltc_edge.profiling.jobs import BEFORE, Job, foreign_job, job_of
from ltc_edge.profiling.linux import INTERRUPTED, Bench, connect
from ltc_edge.profiling.places import Emulated, Local, Remote, Serial
from ltc_edge.profiling.request import Findings, Request
from ltc_edge.profiling.serial import STEPS as SERIAL_STEPS
from ltc_edge.profiling.serial import profile_serial
from ltc_edge.profiling.subject import BundleSubject, ModelSubject, Subject, read_profile_subject

OnShare = Callable[[str, float], None]

INSTALL_FOLDER = "~/.cache/ltc-edge/packages"
"""Where ``--install`` puts packages on a device; they are used from there the next time too."""
INSTALLED = ("numpy", "onnxruntime", "ai-edge-litert")
INSTALL_S = 1800.0


class ProfileInterruptedError(Exception):
    """The device vanished, or the profile was ended; ``document`` holds what was measured, ``cause`` why."""

    def __init__(self, document: dict[str, Any], cause: BaseException) -> None:
        super().__init__(str(cause))
        self.document, self.cause = document, cause


def profile(
    subject: Subject, request: Request, on_share: OnShare, ending: Ending | None = None
) -> dict[str, Any]:
    """Profile a bundle or a model on a target.

    Args:
        subject: what to profile.
        request: where, how, and what must hold.
        on_share: told the stage and the share of it that is done.
        ending: by which another thread may end it.

    Raises:
        InputError: the target cannot run it, or a budget or the baseline does not fit the target.
        DeviceError: the device does not answer.
        EndedError: it was ended before anything was measured.
        ProfileInterruptedError: it ended before all was measured.
    """
    refuse_unmeasured(request.limits, request.kind, rated=request.settings.rate_hz is not None)
    if isinstance(subject, ModelSubject) and "max-error" in request.limits:
        raise InputError("--max-error is not measured of a model whose right answers are not known")
    earlier = None if request.baseline is None else _earlier(request.baseline, request, subject)
    findings = Findings()
    ending = Ending() if ending is None else ending
    try:
        _measure(subject, request, earlier, findings, _unless(ending, on_share), ending)
    except (KeyboardInterrupt, DeviceError, EndedError) as cause:
        if not any(row["status"] == "ok" for row in findings.rows.values()):
            raise
        findings.partial = True
        if not isinstance(cause, KeyboardInterrupt):
            kind = DeviceError if isinstance(cause, DeviceError) else EndedError
            cause = kind(f"{cause}; what was measured until then is kept")
        raise ProfileInterruptedError(profile_document(subject, request, findings, None), cause) from None
    compared = None
    if earlier is not None:
        assert request.baseline is not None
        paired = isinstance(earlier, BundleSubject)
        then = findings.earlier if isinstance(earlier, BundleSubject) else earlier["formats"]
        compared = compare(request.baseline, then, findings.rows, interleaved=paired)
    return profile_document(subject, request, findings, compared)


def _unless(ending: Ending, on_share: OnShare) -> OnShare:
    """Tells how far it is, or ends it."""

    def say(stage: str, share: float) -> None:
        ending.check()
        on_share(stage, share)

    return say


def _earlier(path: Path, request: Request, subject: Subject) -> BundleSubject | dict[str, Any]:
    """What to compare with: a bundle, which is then profiled too, or the JSON of an earlier profile."""
    if not path.is_dir():
        return read_baseline(path, request.kind)
    if isinstance(request.place, Serial) or not isinstance(subject, BundleSubject):
        raise InputError(
            f"{path}: a bundle is compared with another on local, ssh:// and emulated targets only"
        )
    found = read_profile_subject(path, (), ())
    assert isinstance(found, BundleSubject)
    shared = {name: artifact for name, artifact in found.artifacts.items() if name in subject.artifacts}
    return replace(found, artifacts=shared)


def _measure(
    subject: Subject,
    request: Request,
    earlier: BundleSubject | dict[str, Any] | None,
    findings: Findings,
    on_share: OnShare,
    ending: Ending,
) -> None:
    place = request.place
    if isinstance(place, Local | Remote):
        _measure_linux(subject, request, place, earlier, findings, on_share, ending)
    elif isinstance(subject, ModelSubject):
        raise InputError(f"{subject.path}: a model runs on local and ssh:// targets, not on {request.target}")
    elif isinstance(place, Emulated):
        _emulate(subject, place, findings.rows, on_share)
        if isinstance(earlier, BundleSubject):
            _emulate(earlier, place, findings.earlier, on_share)
    else:
        _measure_serial(subject, place, findings, on_share)


def _emulate(
    subject: BundleSubject, place: Emulated, rows: dict[str, dict[str, Any]], on_share: OnShare
) -> None:
    """Each format in turn; ``rows`` has what is known of each whenever it ends."""
    rows.update({name: dict(INTERRUPTED) for name in subject.artifacts})
    for name, artifact in subject.artifacts.items():
        found = profile_emulated(artifact, subject.controller, place.target, on_share=on_share)
        rows[name] = found | {"bytes": artifact.bytes}


def _jobs(subject: BundleSubject, inputs: Inputs, suffix: str = "") -> list[Job]:
    jobs = [job_of(artifact, inputs) for artifact in subject.artifacts.values()]
    return [replace(job, name=f"{job.name}{suffix}") for job in jobs]


def _paired(jobs: list[Job], before: list[Job]) -> list[Job]:
    """Each format beside what it is compared with, so that as little as possible happens in between."""
    partners = {job.name.removesuffix(BEFORE): job for job in before}
    return [each for job in jobs for each in (job, partners.get(job.name)) if each is not None]


def _measure_linux(
    subject: Subject,
    request: Request,
    place: Local | Remote,
    earlier: BundleSubject | dict[str, Any] | None,
    findings: Findings,
    on_share: OnShare,
    ending: Ending,
) -> None:
    def check_device(device: Mapping[str, Any]) -> None:
        if isinstance(earlier, dict):
            assert request.baseline is not None
            refuse_other_device(request.baseline, earlier, device)

    if isinstance(subject, ModelSubject):
        inputs, jobs = None, list[Job]([foreign_job(subject.path.name, subject.content, subject.states)])
    else:
        inputs = profile_inputs(subject.controller)
        jobs = _jobs(subject, inputs)
        if isinstance(earlier, BundleSubject):
            jobs = _paired(jobs, _jobs(earlier, profile_inputs(earlier.controller), BEFORE))
    on_share("connected", 0.0)
    python, folder = request.python or place.python, request.folder or place.folder
    with AgentLink(place, python, folder, ending=ending) as link, _sense(link, place):
        inventory = connect(link, [INSTALL_FOLDER])
        if request.install:
            inventory = _install(link, inventory, on_share)
        bench = Bench(link, jobs, inputs, request.settings, on_share, check_device)
        try:
            bench.run(inventory)
        finally:
            of_earlier = {name for name in bench.rows if name.endswith(BEFORE)}
            findings.rows = {name: row for name, row in bench.rows.items() if name not in of_earlier}
            findings.earlier = {name.removesuffix(BEFORE): bench.rows[name] for name in of_earlier}
            findings.device, findings.problems = bench.device, bench.problems


@contextlib.contextmanager
def _sense(link: AgentLink, place: Local | Remote) -> Iterator[None]:
    """What is on another machine may answer anything: fields that are not there, blocks of odd sizes.

    The agent on this machine is ours, and an error about its answers too: that one is not caught.

    Raises:
        DeviceError: an answer over ssh makes no sense.
    """
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError) as error:
        if isinstance(place, Local):
            raise
        kind = type(error).__name__
        raise DeviceError(f"{link.name}: an answer of its agent makes no sense ({kind})") from error


def _install(link: AgentLink, inventory: Mapping[str, Any], on_share: OnShare) -> dict[str, Any]:
    """Install what is missing on the device.

    Raises:
        DeviceError: pip there cannot.
    """
    missing = [package for package in INSTALLED if not inventory["packages"].get(package)]
    if missing:
        on_share(f"installed {', '.join(missing)}", 0.0)
        request = {"request": "install", "packages": missing, "folder": INSTALL_FOLDER}
        try:
            link.request(request, timeout_s=INSTALL_S)
        except RemoteError as error:
            raise DeviceError(f"{link.name}: {error}") from None
    return connect(link, [INSTALL_FOLDER])


def _measure_serial(subject: BundleSubject, place: Serial, findings: Findings, on_share: OnShare) -> None:
    """The one format that the board runs; the others are refused."""
    inputs = profile_inputs(subject.controller, SERIAL_STEPS)
    refused = list[DeviceError]()
    for name, artifact in subject.artifacts.items():
        found: dict[str, Any] = {"bytes": artifact.bytes}
        if artifact.form.runtime != "c":
            detail = f"{name} does not run on a board: formats in C do, such as c-int16"
            findings.rows[name] = found | {"status": "refused", "reason": "needs-c", "detail": detail}
            continue
        try:
            row, device = profile_serial(artifact, subject.controller, inputs, place.port, on_share)
        except DeviceError as error:
            refused.append(error)
            said = {"status": "refused", "reason": "other-controller", "detail": str(error)}
            findings.rows[name] = found | said
        else:
            findings.rows[name], findings.device = found | row, device
    if refused and not findings.device:
        raise refused[0]
