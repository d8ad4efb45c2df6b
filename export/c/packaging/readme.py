"""The README of a controller's folder."""

from __future__ import annotations

from collections.abc import Iterator

from ltc_edge.export.c.packaging.escape import markdown
from ltc_edge.export.c.packaging.facts import Facts
from ltc_edge.export.c.packaging.templates import filled
from ltc_edge.version import __version__


def readme(facts: Facts) -> str:
    """``README.md``: the signals, and how each ecosystem takes the folder."""
    words = {
        "name": facts.name,
        "upper": facts.name.upper(),
        "title": markdown(facts.title) or facts.name,
        "state_type": facts.state_type,
        "version": facts.version,
        "exporter": __version__,
        "period": f"{facts.period_s:g}",
        "dt_min": f"{facts.dt_min_s:g}",
        "dt_max": f"{facts.dt_max_s:g}",
        "signals": "\n".join(_signals(facts)),
    }
    return filled("README.md", words)


def _signals(facts: Facts) -> Iterator[str]:
    for index, (name, unit) in enumerate(facts.observations):
        yield f"| `observation[{index}]` | {markdown(name)} | {markdown(unit)} | |"
    for index, action in enumerate(facts.actions):
        limits = f"{action.low:g} to {action.high:g}"
        yield f"| `action[{index}]` | {markdown(action.name)} | {markdown(action.unit)} | {limits} |"
