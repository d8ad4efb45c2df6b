"""The C++17 interface of a controller: a header over its C."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ltc_edge.export.c.guard import MEANING, STATUS
from ltc_edge.export.c.packaging.escape import c_comment, c_string
from ltc_edge.export.c.packaging.facts import Facts
from ltc_edge.export.c.packaging.templates import filled
from ltc_edge.export.c.text import float_literal
from ltc_edge.version import __version__

_INFINITE = "std::numeric_limits<float>::infinity()"


def wrapper(facts: Facts) -> str:
    """``src/<name>.hpp``."""
    words = {
        "name": facts.name,
        "upper": facts.name.upper(),
        "title": c_comment(facts.title),
        "exporter": __version__,
        "state_type": facts.state_type,
        "item": {"float32": "float", "int16": "std::int16_t"}[facts.state_type],
        "period": _literal(facts.period_s),
        "dt_min": _literal(facts.dt_min_s),
        "dt_max": _literal(facts.dt_max_s),
        "bits": "\n".join(_bits(facts.name.upper())),
        "bit_count": str(len(STATUS) - 1),
        "bit_names": "\n".join(_bit_names()),
        "observation_signals": "\n".join(_observations(facts)),
        "action_signals": "\n".join(_actions(facts)),
    }
    return filled("wrapper.hpp", words)


def _bits(upper: str) -> Iterator[str]:
    for key in STATUS:
        yield f"    /* {MEANING[key]} */"
        yield f"    {key.lower()} = {upper}_{key},"


def _bit_names() -> Iterator[str]:
    for key, value in STATUS.items():
        if value:
            yield f"    {{Status::{key.lower()}, {c_string(key)}}},"


def _observations(facts: Facts) -> Iterator[str]:
    for name, unit in facts.observations:
        yield f"    {{{c_string(name)}, {c_string(unit)}}},"


def _actions(facts: Facts) -> Iterator[str]:
    for action in facts.actions:
        limits = ", ".join(map(_literal, (action.low, action.high, action.slew)))
        yield f"    {{{c_string(action.name)}, {c_string(action.unit)}, {limits}}},"


def _literal(value: float) -> str:
    if np.isinf(value):
        return _INFINITE if value > 0 else f"-{_INFINITE}"
    return float_literal(np.float32(value))
