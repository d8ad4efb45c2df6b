"""The settings of a trial in few words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ltc_edge.report.fields import clean
from ltc_edge.sweep.front import TrialResult

_FIRST, _LAST = ("cell", "units", "wiring", "unfolds"), "format"


def settings_text(settings: Mapping[str, Any], without: Collection[str] = ()) -> str:
    """Such as ``ltc, 8 units, ncp, 2 unfolds, c-int16``; a dash where nothing is left to say.

    Args:
        settings: of a trial.
        without: names that are not mentioned, for all trials have them in common.
    """
    names = sorted(settings, key=lambda name: (name == _LAST, name not in _FIRST))
    return clean(", ".join(_one(name, settings[name]) for name in names if name not in without)) or "—"


def common_settings(results: Sequence[TrialResult]) -> dict[str, Any]:
    """What is set to the same in all of two trials or more."""
    first = results[0].settings if len(results) > 1 else {}
    return {
        name: value
        for name, value in first.items()
        if all(name in result.settings and result.settings[name] == value for result in results)
    }


def _one(name: str, value: Any) -> str:
    words = name.replace("_", " ")
    if isinstance(value, bool):
        return words if value else f"no {words}"
    if isinstance(value, str):
        return value
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    if name.endswith("units") or name == "unfolds":
        return f"{shown} {words if value != 1 else words.removesuffix('s')}"
    return f"{words} {shown}"
