"""All states of control, breadth first; and what abstract interpretation says of any content of memory."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import CheckFailedError
from ltc_edge.supervision.codes import Fallback, Mode
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.settings_c import NAME, settings_c
from supervisor_bench.building import (
    COMMON,
    HARNESS,
    compiled,
    linked,
    printed_json,
    run,
    small_settings,
)

SOURCES = ("explore.c", "explore_checks.c", "explore_inputs.c", "scripted.c")
REQUESTS = ("none", "disarm", "to shadow", "arm")
CONDITIONS = ("a fault that latches", "a fault", "no fault, for too short", "no fault for recover_steps")

_EVA = ("-eva", "-eva-precision", "2", "-warn-special-float", "none", "-machdep", "gcc_x86_64")
_NUMBER = r"-?[\d.e+]+"


def explore(
    law: Fallback,
    folder: Path,
    stride: int = 1,
    changes: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Search the states of `small_settings`, with every ``stride``-th input from each.

    Returns:
        ``states`` and ``steps``; how often each bit of a ``status`` was seen; ``transitions``: mode before,
        request, condition and mode after of every step, as indices.

    Raises:
        CheckFailedError: something does not hold; the message says in which state and of which input.
    """
    objects = compiled(SOURCES, folder, changes=changes)
    return printed_json(linked(objects, small_settings(law), folder), str(stride))


def named_transitions(document: Mapping[str, Any]) -> set[tuple[Mode, str, str, Mode]]:
    """The transitions of `explore` in words."""
    return {
        (Mode(before), REQUESTS[request], CONDITIONS[condition], Mode(after))
        for before, request, condition, after in document["transitions"]
    }


def analyse(law: Fallback, folder: Path) -> dict[str, Any]:
    """Follow a step from any content of memory, of room and of input, with Frama-C's Eva.

    Returns:
        ``ok``: no alarm, and actions, the dt that the controller is told, and modes are within their ranges;
        ``shown``: these. Eva does not see that a comparison keeps out NaN: see `all_floats`.

    Raises:
        InputError: Frama-C is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    settings = two_actions(law)
    (folder / f"{NAME}.c").write_text(settings_c(settings), encoding="ascii")
    quiet = ("-kernel-warn-key", "parser:decimal-float=inactive")
    paths = f"-cpp-extra-args=-I{COMMON} -I{HARNESS}"
    sources = (HARNESS / "proof.c", folder / f"{NAME}.c", COMMON / "ltc_supervisor.c")
    text = run(["frama-c", *_EVA, *quiet, paths, *sources], folder)
    shown = {
        name: " ".join(values.split())
        for name, values in re.findall(r"Frama_C_show_each_(\w+):\s*\n?((?:.*,\n)*.*)\n", text)
    }
    ranges = {
        "action": list(zip(settings.low, settings.high, strict=True)),
        "told": [(settings.dt_min_s, settings.dt_max_s)],
    }
    inside = {name: is_inside(shown.get(name, ""), expected) for name, expected in ranges.items()}
    alarms = re.search(r"(\d+) alarms? generated", text)
    ok = alarms is not None and alarms[1] == "0" and all(inside.values())
    return {"ok": ok and shown.get("mode") == "{0; 1; 2; 3; 4}", "shown": shown}


def is_inside(shown: str, ranges: Sequence[tuple[float, float]]) -> bool:
    """Whether the intervals that Eva shows lie within those expected."""
    found = re.findall(rf"\[({_NUMBER}) \.\. ({_NUMBER})\]", shown)
    return len(found) == len(ranges) and all(
        low <= float(least) and float(most) <= high
        for (least, most), (low, high) in zip(found, ranges, strict=True)
    )


def two_actions(law: Fallback) -> Settings:
    """`small_settings` with a second action, which has limits of its own."""
    one = small_settings(law)
    return dataclasses.replace(
        one,
        actions=("first", "second"),
        low=(-1.0, -0.5),
        high=(1.0, 0.5),
        slew=(0.75, 1.0),
        resting=(0.125, 0.0),
        pd_gain=(*one.pd_gain, (0.0, 1.0)) if law == Fallback.PD else (),
    )


def all_floats(folder: Path, stride: int = 1) -> dict[str, Any]:
    """Whether ``kept_within``, the last to touch an action, bounds every ``stride``-th float."""
    folder.mkdir(parents=True, exist_ok=True)
    order = ["gcc", "-std=c99", "-O2", "-ffp-contract=off", f"-I{COMMON}", HARNESS / "within.c"]
    run([*order, "-o", "within"], folder)
    try:
        run([folder / "within", str(stride)], folder)
    except CheckFailedError as error:
        return {"ok": False, "why": str(error)}
    return {"ok": True, "floats": (2**32 - 1) // stride + 1}


def coverage(folder: Path, stride: int) -> dict[str, Any]:
    """Lines and branches of ``ltc_supervisor.c`` that searches take, under all laws together.

    Returns:
        ``lines`` and ``branches``, the numbers of those lines that are ``missed`` in part, and the
        ``searches``, as of `explore`.

    Raises:
        InputError: gcc or gcov is not installed.
    """
    made = [small_settings(law) for law in Fallback]
    # A gain of the other sign is another branch.
    made.append(dataclasses.replace(made[-1], pd_gain=((-2.0, 0.0),)))
    counted = ("-O0", "--coverage")
    objects, searches = compiled(SOURCES, folder, counted), []
    for number, settings in enumerate(made):
        # The counters add up beside the objects.
        program = linked(objects, settings, folder / str(number), counted)
        searches.append(printed_json(program, str(stride)))
    taken = _outcomes(run(["gcov", "--json-format", "--stdout", "-b", "ltc_supervisor.gcda"], folder))
    return {
        "lines": len(taken),
        "branches": sum(len(outcomes) - 1 for outcomes in taken.values()),
        "missed": sorted(line for line, outcomes in taken.items() if not all(outcomes)),
        "searches": searches,
    }


def _outcomes(report: str) -> dict[int, list[bool]]:
    """Of each line, whether it was run and each of its branches taken."""
    return {
        line["line_number"]: [line["count"] > 0, *(branch["count"] > 0 for branch in line["branches"])]
        for file in json.loads(report)["files"]
        if file["file"] == "ltc_supervisor.c"
        for line in file["lines"]
    }
