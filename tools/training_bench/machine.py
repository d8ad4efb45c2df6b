"""What was measured on, and with what."""

from __future__ import annotations

import importlib.metadata
import platform
from pathlib import Path
from typing import Any

from ltc_edge.profiling.agent.device_state import read_state

PACKAGES = ("ltc-edge", "torch", "ncps", "numpy")


def machine() -> dict[str, Any]:
    """Processor and versions."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith(("model name", "Model"))
    ]
    return {
        "processor": names[0] if names else platform.processor() or None,
        "architecture": platform.machine(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "python": platform.python_version(),
    }


def load() -> dict[str, Any]:
    """Load of the last minute, and the share of all processor time that a hypervisor gave to others."""
    state = read_state(busy_s=0.0)
    ticks = state["ticks"]
    stolen = ticks["steal"] / ticks["total"] if ticks else None
    return {"load_1m": state["load_1m"], "stolen_share": stolen, "frequency_khz": state["frequency_khz"]}
