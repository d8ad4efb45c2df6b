"""Which kernel our cells run on."""

from __future__ import annotations

from typing import Any


def kernel_facts() -> dict[str, Any]:
    """``mode`` (``fused`` or ``torch``) and the ``instruction_set`` in use."""
    return {"mode": "torch", "instruction_set": None}
