"""A supervised controller that is fed with messages; it knows no network, no clock and no thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ltc_edge.deploy.ros.cdr import Decoder
from ltc_edge.deploy.ros.mapping import Mapping
from ltc_edge.supervision.codes import Request
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.supervisor import Input, Output

SKEW_NS = 5_000_000
"""By how much a stamp may lie ahead of this machine's clock and count as now: clocks never agree quite."""


class Supervised(Protocol):
    """A supervisor and its controller, in C or in Python."""

    settings: Settings

    def step(self, given: Input) -> Output:
        """One period."""


@dataclass(frozen=True)
class Step:
    """One step: when it was made in ns, what it was given, and what it gave."""

    now_ns: int
    given: Input
    output: Output


class Engine:
    """Holds the last reading of every observation, and steps.

    Args:
        supervised: what is stepped.
        mapping: where observations stand.
        period_s: dt of the first step.
        by_stamp: readings are as old as their headers say, and dt is what passed between two stamps; else
            they are as old as they have been here. Where a message has no header it is always the latter.
    """

    def __init__(
        self, supervised: Supervised, mapping: Mapping, period_s: float, *, by_stamp: bool = False
    ) -> None:
        self._supervised = supervised
        self._signals = [source.signals for source in mapping.sources]
        self._decoders = [Decoder(source.message, source.paths) for source in mapping.sources]
        count = sum(len(signals) for signals in self._signals)
        self._observation = [float("nan")] * count
        self._age_s = [float("nan")] * count
        self._measured_ns: list[int | None] = [None] * len(self._signals)
        self._period_s = period_s
        self._by_stamp = by_stamp
        self._last_ns: int | None = None
        self._requests = Request.NONE

    @property
    def last_ns(self) -> int | None:
        """Time of the last step; None before the first."""
        return self._last_ns

    def request(self, request: Request) -> None:
        """Ask for something in the next step; what was asked for before it is void."""
        self._requests = request

    def hear(self, source: int, payload: bytes, now_ns: int) -> None:
        """Take readings.

        Args:
            source: index of the topic among the mapping's sources.
            payload: the message in CDR.
            now_ns: the time; with ``by_stamp`` since 1970.

        Raises:
            NotThisMessageError: it is no such message; the readings stay what they were, and grow old.
        """
        decoder = self._decoders[source]
        values = decoder.read(payload)
        measured_ns: int | None = decoder.stamp_ns(payload) if self._by_stamp else None
        self._measured_ns[source] = now_ns if measured_ns is None else measured_ns
        observation = self._observation
        for signal, value in zip(self._signals[source], values, strict=True):
            observation[signal] = value

    def step(self, now_ns: int, *, heard: bool = True) -> Step:
        """Step with the readings that are here.

        Args:
            now_ns: the time.
            heard: whether the first topic's message is the occasion; False where a timer is.
        """
        measured_ns = self._measured_ns[0]
        at_ns = measured_ns if self._by_stamp and heard and measured_ns is not None else now_ns
        dt_s = self._period_s if self._last_ns is None else 1e-9 * (at_ns - self._last_ns)
        if self._by_stamp:  # a timer's step may lie after a stamp that was on its way
            dt_s = max(dt_s, 0.0)
        self._last_ns = at_ns
        given = Input(tuple(self._observation), dt_s, self._ages(now_ns), requests=self._requests)
        self._requests = Request.NONE
        return Step(now_ns, given, self._supervised.step(given))

    def _ages(self, now_ns: int) -> Sequence[float]:
        ages = self._age_s
        for measured_ns, signals in zip(self._measured_ns, self._signals, strict=True):
            if measured_ns is None:
                continue  # not a number: never heard of
            age_ns = now_ns - measured_ns
            age_s = 0.0 if -SKEW_NS <= age_ns <= 0 else 1e-9 * age_ns
            for signal in signals:
                ages[signal] = age_s
        return tuple(ages)
