"""When a cell's sequences go through the fused kernels in place of torch, step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor

from ltc_edge.kernels.mode import fused_library, has_gpu_kernel

F = TypeVar("F", bound=Callable[..., Any])
_DTYPES = (torch.float32, torch.float64)
_CPU, _GPU = "cpu", "cuda"


def _constant(function: F) -> F:
    """For torch.compile, ``function`` always returns the same.

    `torch.compiler.assume_constant_result` does so too, but imports the compiler, which takes as long as
    torch itself.
    """
    function._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return function


def is_fusable(*tensors: Tensor | None) -> bool:
    """Whether the kernels can be had, and these tensors are what they compute with.

    They are on the CPU, of one precision, and no transform of `torch.func` is looking on: the
    kernels have neither a batching rule nor a forward derivative.
    """
    return _are_plain(_CPU, tensors) and _is_to_be_had()


def is_fusable_on_gpu(*tensors: Tensor | None) -> bool:
    """The same of the kernel for GPUs; without a sequence or a step there is nothing to launch."""
    inputs = tensors[0]
    assert inputs is not None
    return inputs.numel() > 0 and _are_plain(_GPU, tensors) and _is_to_be_had_on_gpu()


def _are_plain(device: str, tensors: tuple[Tensor | None, ...]) -> bool:
    present = [each for each in tensors if each is not None]
    first = present[0].dtype
    return (
        first in _DTYPES
        and all(each.device.type == device and each.dtype == first for each in present)
        and not is_transformed()
    )


def is_transformed() -> bool:
    """Whether a transform of `torch.func`, such as vmap, looks on."""
    return not torch.compiler.is_compiling() and torch._C._functorch.peek_interpreter_stack() is not None


@_constant
def _is_to_be_had() -> bool:
    return fused_library() is not None


@_constant
def _is_to_be_had_on_gpu() -> bool:
    return has_gpu_kernel()
