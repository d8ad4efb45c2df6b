"""The report of a verification: ``verification.json``, and what ``--json`` prints."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ltc_edge.errors import MissingExtraError
from ltc_edge.export.artifacts import Refusal
from ltc_edge.verification.closed_loop import ClosedLoopResult
from ltc_edge.verification.verify import Verdict

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class FormatReport:
    """What became of one format.

    Attributes:
        status: ``ok``, ``failed``, ``refused``, ``unverified``, or ``not-run`` where its runtime is missing.
        reason, detail: of a refusal.
        bytes: size of the file; None where there is none.
        verdict: of the verification; None where there was none.
        firmware: of a format in C, what it takes of each target that could be emulated, by name.
    """

    status: str
    reason: str | None = None
    detail: str | None = None
    bytes: int | None = None
    verdict: Verdict | None = None
    firmware: Mapping[str, Mapping[str, Any]] | None = None

    @classmethod
    def refused(cls, refusal: Refusal, verdict: Verdict | None = None) -> FormatReport:
        """A format that cannot be had; with a verdict, one that was tried and is not good enough."""
        return cls("refused", refusal.reason, refusal.detail, verdict=verdict)

    @classmethod
    def not_run(cls, size: int, missing: MissingExtraError) -> FormatReport:
        """A file whose runtime is not installed here."""
        return cls("not-run", missing.reason, str(missing), size)

    @classmethod
    def unverified(cls, size: int) -> FormatReport:
        """A file nobody verified."""
        return cls("unverified", bytes=size)

    @classmethod
    def verified(cls, size: int, verdict: Verdict) -> FormatReport:
        """A file that went through its trials."""
        return cls("failed" if verdict.failures else "ok", bytes=size, verdict=verdict)

    @property
    def lacks_task(self) -> bool:
        """Whether the file was verified, but not on its task."""
        return self.verdict is not None and self.verdict.task is None

    @property
    def failures(self) -> tuple[str, ...]:
        """What is beyond its tolerance, a line each."""
        return () if self.verdict is None or self.status == "refused" else self.verdict.failures

    @property
    def task_figure(self) -> float | None:
        """The return, or the score on recordings; None where the task was not run."""
        task = None if self.verdict is None else self.verdict.task
        if task is None:
            return None
        return task.return_mean if isinstance(task, ClosedLoopResult) else task.value

    def summary(self) -> dict[str, Any]:
        """The stable keys of ``--json``; what was not measured is null."""
        verdict = self.verdict
        task = None if verdict is None else verdict.task
        closed = task if isinstance(task, ClosedLoopResult) else None
        summary: dict[str, Any] = {
            "status": self.status,
            "reason": self.reason,
            "detail": self.detail,
            "bytes": self.bytes,
            "max_abs_error": None if verdict is None else verdict.free_run.max_abs_error,
            "rms_over_sigma": None if verdict is None else verdict.free_run.rms_over_sigma,
            "return_mean": None if closed is None else closed.return_mean,
            "return_lost_percent": None if closed is None else closed.return_lost_percent,
            "return_lost_ci95": None if closed is None else list(closed.lost_ci95),
            "failures": list(self.failures),
        }
        if self.firmware is not None:
            summary["firmware"] = dict(self.firmware)
        return {key: _finite(value) for key, value in summary.items()}


def _finite(value: Any) -> Any:
    """The document with null for what is no number: JSON has no NaN, and a failed file may give one."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def report_bytes(reports: Mapping[str, FormatReport], task_note: str | None) -> bytes:
    """``verification.json``."""
    document = {
        "schema": SCHEMA_VERSION,
        "task_note": task_note,
        "formats": {
            name: {
                "status": report.status,
                "reason": report.reason,
                "detail": report.detail,
                "bytes": report.bytes,
            }
            | ({} if report.firmware is None else {"firmware": dict(report.firmware)})
            | ({} if report.verdict is None else report.verdict.to_json())
            for name, report in reports.items()
        },
    }
    return (json.dumps(_finite(document), indent=2, allow_nan=False) + "\n").encode()
