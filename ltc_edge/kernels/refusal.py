"""What all kernels refuse."""

from __future__ import annotations

from typing import Any


def refuse_second_derivative(ctx: Any, *gradients: Any) -> Any:  # noqa: ARG001
    """The backward pass of a backward pass.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        "the fused kernels have no second derivative: LTC_EDGE_KERNEL=torch differentiates twice"
    )
