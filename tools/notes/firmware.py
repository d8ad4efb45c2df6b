"""What a step costs as C on an emulated Cortex-M4: instructions, which neither load nor luck changes."""

from __future__ import annotations

from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.export.artifacts import Refusal, make_artifact
from ltc_edge.export.formats import FORMATS
from ltc_edge.profiling.emulated import profile_emulated
from ltc_edge.targets import find_target

TARGET, FORMAT, STEPS = "cortex-m4", "c-float32", 8

KEPT = ("status", "reason", "detail", "instructions_per_step", "cycles_estimate", "flash_bytes", "ram_bytes")
"""Of all that a profile tells."""


def emulated(controller: Controller) -> dict[str, Any]:
    """The figures; ``status`` is other than ``ok`` where this cell has no C, or no emulator is installed."""
    made = make_artifact(FORMATS[FORMAT], controller, None)
    if isinstance(made, Refusal):
        return {
            "target": TARGET,
            "format": FORMAT,
            "status": "refused",
            "reason": made.reason,
            "detail": made.detail,
        }
    found = profile_emulated(made, controller, find_target(TARGET), steps=STEPS, on_share=lambda _, __: None)
    return {"target": TARGET, "format": FORMAT} | {name: found.get(name) for name in KEPT}
