"""Which kernel our cells run on."""

from __future__ import annotations

from typing import Any

from ltc_edge.kernels.library import instruction_sets
from ltc_edge.kernels.mode import fused_library


def kernel_facts() -> dict[str, Any]:
    """``mode`` (``fused`` or ``torch``), the ``instruction_set`` in use, and those that could be."""
    library = fused_library()
    if library is None:
        return {"mode": "torch", "instruction_set": None, "instruction_sets": []}
    used: bytes = library.ltc_edge_kernels_isa()
    return {
        "mode": "fused",
        "instruction_set": used.decode("ascii"),
        "instruction_sets": list(instruction_sets(library)),
    }
