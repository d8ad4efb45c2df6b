"""The Arduino sketch that runs a controller at its period."""

from __future__ import annotations

from collections.abc import Iterator

from ltc_edge.export.c.packaging.escape import c_comment
from ltc_edge.export.c.packaging.facts import Facts
from ltc_edge.export.c.packaging.templates import filled

LONGEST_US = 2**31 - 1
"""Longest period that ``micros()``, which starts again after 2**32, can tell from a missed one."""


def sketch(facts: Facts) -> str:
    """``examples/<name>/<name>.ino``."""
    words = {
        "name": facts.name,
        "upper": facts.name.upper(),
        "title": c_comment(facts.title),
        "period": f"{facts.period_s:g}",
        "period_us": _period(facts.period_s),
        "readings": "\n".join(_readings(facts)),
        "actions": "\n".join(_actions(facts)),
    }
    return filled("sketch.ino", words)


def _period(period_s: float) -> str:
    microseconds = round(period_s * 1e6)
    if 1 <= microseconds <= LONGEST_US:
        return f"static const uint32_t PERIOD_US = {microseconds}UL;"
    return f'#error "a period of {period_s:g} s is not one that micros() can keep"'


def _readings(facts: Facts) -> Iterator[str]:
    for index, (name, unit) in enumerate(facts.observations):
        yield f"    observation[{index}] = 0.0F; /* {_signal(name, unit)} */"


def _actions(facts: Facts) -> Iterator[str]:
    for index, action in enumerate(facts.actions):
        signal = _signal(action.name, action.unit)
        yield f"    (void)action[{index}]; /* {signal}, {action.low:g} to {action.high:g} */"


def _signal(name: str, unit: str) -> str:
    return c_comment(f"{name} [{unit}]" if unit else name)
