"""When a cell's sequences go through the fused kernels in place of torch, step by step."""

from __future__ import annotations

import torch
from torch import Tensor

from ltc_edge.kernels.mode import fused_library

_DTYPES = (torch.float32, torch.float64)


def is_fusable(*tensors: Tensor | None) -> bool:
    """Whether the kernels can be had, and these tensors are what they compute with.

    They are on the CPU, of one precision, and no transform of `torch.func` is looking on: the
    kernels have neither a batching rule nor a forward derivative.
    """
    present = [each for each in tensors if each is not None]
    first = present[0].dtype
    return (
        first in _DTYPES
        and all(each.device.type == "cpu" and each.dtype == first for each in present)
        and not is_transformed()
        and _is_to_be_had()
    )


def is_transformed() -> bool:
    """Whether a transform of `torch.func`, such as vmap, looks on."""
    return not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is not None


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def _is_to_be_had() -> bool:
    return fused_library() is not None
