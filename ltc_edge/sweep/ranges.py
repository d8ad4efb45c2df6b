"""What one variable of a search may be: whole numbers, real ones, or one of a few."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ltc_edge.errors import InputError

if TYPE_CHECKING:
    from optuna.trial import BaseTrial

Value = str | int | float | bool


@dataclass(frozen=True)
class Choice:
    """One of a few values; the order says nothing."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.values))

    def suggest(self, trial: BaseTrial, name: str) -> Value:
        """What ``trial`` tries; it is not asked where there is nothing to choose."""
        if len(self.values) == 1:
            return self.values[0]
        return cast(Value, trial.suggest_categorical(name, self.values))

    def to_json(self) -> Any:
        """See `range_from_json`."""
        return list(self.values)


@dataclass(frozen=True)
class Whole:
    """Whole numbers from ``low`` to ``high``, both included."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"{self.low}:{self.high}"

    def suggest(self, trial: BaseTrial, name: str) -> int:
        """What ``trial`` tries; it is not asked where there is nothing to choose."""
        return self.low if self.low == self.high else trial.suggest_int(name, self.low, self.high)

    def to_json(self) -> Any:
        """See `range_from_json`."""
        return {"low": self.low, "high": self.high}


@dataclass(frozen=True)
class Real:
    """Real numbers from ``low`` to ``high``; drawn evenly by their logarithm where ``log``."""

    low: float
    high: float
    log: bool = False

    def __str__(self) -> str:
        return f"{self.low:g}:{self.high:g}"

    def suggest(self, trial: BaseTrial, name: str) -> float:
        """What ``trial`` tries; it is not asked where there is nothing to choose."""
        if self.low == self.high:
            return self.low
        return trial.suggest_float(name, self.low, self.high, log=self.log)

    def to_json(self) -> Any:
        """See `range_from_json`."""
        return {"low": self.low, "high": self.high, "log": self.log}


Range = Choice | Whole | Real


def range_from_json(document: Any) -> Range:
    """The range that its ``to_json`` gave.

    Raises:
        TypeError, KeyError: it is something else.
    """
    if isinstance(document, list):
        return Choice(tuple(document))
    if not isinstance(document, Mapping):
        raise TypeError(f"{document!r} is no range")
    if "log" in document:
        return Real(float(document["low"]), float(document["high"]), bool(document["log"]))
    return Whole(int(document["low"]), int(document["high"]))


def read_whole(option: str, text: str, least: int, most: int) -> Whole | Choice:
    """Whole numbers such as ``4:32``, ``8`` or ``8,12,16``.

    Raises:
        InputError: it is none, or reaches beyond ``least`` and ``most``.
    """
    values = _numbers(option, text, int, "4:32 or 8,12,16")
    for value in values:
        if not least <= value <= most:
            raise InputError(f"{option} {text}: {value} is not from {least} to {most}")
    if ":" in text:
        return Whole(values[0], values[1])
    return Whole(values[0], values[0]) if len(values) == 1 else Choice(tuple(values))


def read_real(option: str, text: str, least: float, most: float, *, log: bool) -> Real | Choice:
    """Real numbers such as ``0.2:0.8``, ``0.5`` or ``0.2,0.5``.

    Raises:
        InputError: it is none, or reaches beyond ``least`` and ``most``.
    """
    values = _numbers(option, text, float, "0.2:0.8 or 0.2,0.5")
    for value in values:
        if not least <= value <= most:
            raise InputError(f"{option} {text}: {value:g} is not from {least:g} to {most:g}")
    if ":" in text:
        return Real(values[0], values[1], log)
    return Real(values[0], values[0], log) if len(values) == 1 else Choice(tuple(values))


def read_choice(option: str, text: str, known: tuple[Value, ...]) -> Choice:
    """Some of a few known values, such as ``ltc,cfc``.

    Raises:
        InputError: one is unknown, or there twice.
    """
    by_text = {str(value).lower(): value for value in known}
    parts = [part.strip().lower() for part in text.split(",")]
    for part in parts:
        if part not in by_text:
            raise InputError(f"{option}: {part[:60]!r} is none of {', '.join(by_text)}")
    _refuse_twice(option, parts)
    return Choice(tuple(by_text[part] for part in parts))


def _numbers(option: str, text: str, kind: Any, example: str) -> list[Any]:
    """The ends of a range, or the numbers of a list."""
    is_range = ":" in text
    try:
        values = [kind(part) for part in text.split(":" if is_range else ",")]
    except ValueError:
        values = []
    if not values or not all(map(math.isfinite, values)) or (is_range and len(values) != 2):
        raise InputError(f"{option}: {text[:60]!r} is no range; write one such as {example}")
    if is_range and values[0] > values[1]:
        raise InputError(f"{option}: {text} begins above its end")
    if not is_range:
        _refuse_twice(option, values)
    return values


def _refuse_twice(option: str, values: list[Any]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise InputError(f"{option}: has {value} twice")
