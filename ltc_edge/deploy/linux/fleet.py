"""Several devices: one first, then the others side by side, and none any more once one has failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

from ltc_edge.errors import InputError, LtcEdgeError

Act = Callable[[], dict[str, Any]]
"""Does it on one device, and says what was done."""


@dataclass(frozen=True)
class Job:
    """One device's part.

    Attributes:
        label: what the device is called.
        act: does it.
    """

    label: str
    act: Act


@dataclass(frozen=True)
class Result:
    """What became of one device.

    Attributes:
        label: what the device is called.
        outcome: done; failed; or untouched, since another failed before.
        report: what was done; empty where it was not.
        error: why it failed.
    """

    label: str
    outcome: Literal["done", "failed", "untouched"]
    report: dict[str, Any]
    error: LtcEdgeError | None = None

    def to_json(self) -> dict[str, Any]:
        """As docs/deploy.md says it."""
        error = None if self.error is None else str(self.error)
        return {"device": self.label, **self.report, "outcome": self.outcome, "error": error}


def run_fleet(jobs: Sequence[Job], *, canary: str | None, parallel: int, stop: bool = True) -> list[Result]:
    """Do it on all devices.

    Args:
        jobs: of the devices.
        canary: label of the one that comes first, and alone; None for the first of several.
        parallel: how many of the others at once.
        stop: whether a failure keeps the rest untouched.

    Returns:
        What became of each, in the order of ``jobs``.

    Raises:
        InputError: no device is called like the canary, or two are called alike.
    """
    labels = [job.label for job in jobs]
    _refuse_labels(labels, canary)
    failed = threading.Event()

    def do(job: Job) -> Result:
        if failed.is_set():
            return Result(job.label, "untouched", {})
        try:
            return Result(job.label, "done", job.act())
        except LtcEdgeError as error:
            if stop:
                failed.set()
            return Result(job.label, "failed", {}, error)
        except BaseException:
            failed.set()
            raise

    first = canary or labels[0]
    results = {first: do(next(job for job in jobs if job.label == first))}
    rest = [job for job in jobs if job.label != first]
    with ThreadPoolExecutor(max(parallel, 1)) as workers:
        try:
            results |= {result.label: result for result in workers.map(do, rest)}
        except BaseException:
            failed.set()  # Ctrl-C: what has begun is brought to its end, and nothing more is begun
            raise
    return [results[label] for label in labels]


def _refuse_labels(labels: Sequence[str], canary: str | None) -> None:
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise InputError(f"{twice} is named twice")
    if canary is not None and canary not in labels:
        raise InputError(f"no device is called {canary!r}; there are {', '.join(labels)}")
