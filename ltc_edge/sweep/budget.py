"""Budgets of a sweep: what a controller must keep, such as ``p99_us<50,flash<8192,return>9350``.

    budget = limit { "," limit }
    limit  = figure ( "<" | "<=" | ">" | ">=" ) number

Figures are those of `ltc_edge.sweep.objectives`, in their units.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from ltc_edge.errors import InputError
from ltc_edge.sweep.objectives import find_objective

Relation = Literal["<", "<=", ">", ">="]

_LIMIT = re.compile(r"\s*(?P<name>[^<>=,]*?)\s*(?P<relation><=|>=|<|>)\s*(?P<value>[^<>=,]*?)\s*")
_SMALLEST = math.ulp(1.0)
_SIGNED = frozenset({"return"})
"""Figures that may be below zero."""


@dataclass(frozen=True)
class Limit:
    """What one figure must keep.

    Attributes:
        name: of the figure.
        relation: of the figure to the value.
        value: in the figure's unit.
    """

    name: str
    relation: Relation
    value: float

    def __str__(self) -> str:
        return f"{self.name}{self.relation}{_plain(self.value)}"

    @property
    def is_upper(self) -> bool:
        """Whether it limits from above."""
        return self.relation.startswith("<")

    def violation(self, figure: float | None) -> float:
        """By how much ``figure`` breaks it, as a share of the limit; at most 0 where it is kept.

        Shares of different limits can be added up, as samplers do. Of a limit of zero it is no share but the
        figure itself.
        A figure that was not measured, or is no number, breaks it by infinity.
        """
        if figure is None or math.isnan(figure):
            return math.inf
        over = figure - self.value if self.is_upper else self.value - figure
        share = over / (abs(self.value) or 1.0)
        # What must be below 50 is not kept by 50.
        return _SMALLEST if over == 0 and self.relation in ("<", ">") else share


@dataclass(frozen=True)
class Budget:
    """Limits that hold together; none at all keeps everything."""

    limits: tuple[Limit, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.limits))

    @property
    def names(self) -> tuple[str, ...]:
        """The figures that must be measured, each once."""
        return tuple(dict.fromkeys(limit.name for limit in self.limits))

    def violation(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Of each limit, by its text, as `Limit.violation`: at most 0 is kept, which is Optuna's way."""
        return {str(limit): limit.violation(figures.get(limit.name)) for limit in self.limits}

    def is_kept(self, figures: Mapping[str, float]) -> bool:
        """Whether all limits are."""
        return all(value <= 0 for value in self.violation(figures).values())


def read_budget(text: str) -> Budget:
    """The budget that ``text`` writes down; ``str`` of a budget is read to an equal one.

    Raises:
        InputError: it is malformed (says where), names an unknown figure, or cannot be kept by anything.
    """
    limits = tuple(_limit(part, position) for position, part in _parts(text))
    for index, limit in enumerate(limits):
        for other in limits[:index]:
            _refuse_clash(other, limit)
    return Budget(limits)


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """The limits' texts with the positions, from 1, at which they begin."""
    start = 0
    for part in text.split(","):
        yield start + 1 + len(part) - len(part.lstrip()), part
        start += len(part) + 1


def _limit(part: str, position: int) -> Limit:
    where = f"--budget, character {position}"
    found = _LIMIT.fullmatch(part)
    if found is None:
        raise InputError(f"{where}: {part.strip()[:60]!r} is no limit; write one such as flash<8192")
    name, relation = found["name"], cast(Relation, found["relation"])
    find_objective(name, where)
    limit = Limit(name, relation, _number(found["value"], f"{where}: {name}{relation}"))
    least = -math.inf if name in _SIGNED else 0.0
    if limit.is_upper and (limit.value < least or (limit.value == least and relation == "<")):
        raise InputError(f"{where}: {limit} cannot be kept, since {name} is never below 0")
    return limit


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        what = f"{text[:60]!r} is no number" if text else "the number is missing"
        raise InputError(f"{where}: {what}") from None
    if not math.isfinite(value):
        raise InputError(f"{where}: {text} limits nothing; give a finite number")
    return value


def _refuse_clash(first: Limit, second: Limit) -> None:
    """Refuse two limits of one figure that nothing keeps, or of which one says nothing."""
    if first.name != second.name:
        return
    if first.is_upper == second.is_upper:
        raise InputError(f"--budget: {first} and {second} limit {first.name} twice; leave one out")
    upper, lower = (first, second) if first.is_upper else (second, first)
    touching = upper.relation == "<=" and lower.relation == ">="
    if lower.value > upper.value or (lower.value == upper.value and not touching):
        raise InputError(f"--budget: nothing keeps both {first} and {second}")


def _plain(value: float) -> str:
    """A number that is read to the same one, without the point of whole ones."""
    return repr(value).removesuffix(".0")
