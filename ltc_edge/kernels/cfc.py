"""Whole sequences of a closed-form cell in one call of the kernel, with its gradient, for torch on the CPU.

As `ltc_edge.kernels.ltc` an `autograd.Function`, and an operator that `torch.compile` can carry in its
graph, over the same functions. There is no second derivative.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ltc_edge.kernels import binding, binding_cfc
from ltc_edge.kernels.binding import Gradients, Sequences
from ltc_edge.kernels.binding_cfc import Settings, pointers
from ltc_edge.kernels.mode import fused_library
from ltc_edge.kernels.refusal import refuse_second_derivative


@functools.cache
def library() -> ctypes.CDLL:
    """The loaded library, its functions declared."""
    found = fused_library()
    assert found is not None
    binding_cfc.declare(found)
    return found


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _function(name: str, dtype: torch.dtype) -> Any:
    return getattr(library(), f"ltc_edge_cfc_{name}_{'f32' if dtype == torch.float32 else 'f64'}")


def _trace_bytes(cell: binding_cfc.Cell, sequences: Sequences, dtype: torch.dtype) -> int:
    size: int = library().ltc_edge_cfc_trace(cell, sequences, dtype.itemsize)
    return size


@dataclass(frozen=True, eq=False)
class Network:
    """The cell.

    Attributes:
        settings: its sizes and kinds.
        masks: for each layer ``(units, columns)`` of 0 and 1, of its sparse heads; or none at all.
    """

    settings: Settings
    masks: tuple[Tensor, ...]

    @classmethod
    def of_numbers(cls, numbers: Sequence[int], masks: Sequence[Tensor]) -> Network:
        """From what an operator of torch can be given; see `numbers`."""
        inputs, units, outputs, mode, layers, width, activation, *layer_units = numbers
        settings = Settings(inputs, units, outputs, mode, layers, width, activation, tuple(layer_units))
        return cls(settings, tuple(masks))

    def numbers(self) -> list[int]:
        """The settings, one after the other."""
        *numbers, layer_units = self.settings
        return [*numbers, *layer_units]

    def structure(self) -> binding_cfc.Cell:
        """The C structure; it points into the masks."""
        masks: Sequence[int | None] = [each.data_ptr() for each in self.masks]
        return binding_cfc.cell(self.settings, masks or [None] * len(self.settings.layer_units))

    def as_type(self, dtype: torch.dtype) -> Network:
        """With masks as the kernel reads them."""
        return Network(self.settings, tuple(each.to(dtype).contiguous() for each in self.masks))


class Batch(NamedTuple):
    """Sequences: float32 or float64, all alike.

    Attributes:
        inputs: ``(B, T, I)``.
        state: ``(B, N)``.
        timespans: ``(B, T)``, or None for 1.
        forced: ``(B, T, N)`` or None: what steps go on from.
    """

    inputs: Tensor
    state: Tensor
    timespans: Tensor | None
    forced: Tensor | None

    def contiguous(self) -> Batch:
        """The same values as the kernel reads them."""
        return Batch(*(None if each is None else each.contiguous() for each in self))  # type: ignore[arg-type]

    def sequences(self) -> Sequences:
        """The C structure; it points into the tensors here."""
        inputs, state, timespans, forced = map(_address, self)
        batch, length = self.inputs.shape[:2]
        return Sequences(batch, length, inputs, timespans, state, forced)


def run(
    batch: Batch, parameters: Sequence[Tensor], network: Network, *, traced: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs ``(B, T, M)``, the last state and the trace, which is empty where not ``traced``.

    Raises:
        ValueError: a timespan is not above 0.
        MemoryError: there is no room.
    """
    batch, network = batch.contiguous(), network.as_type(batch.inputs.dtype)
    parameters = [each.contiguous() for each in parameters]
    inputs = batch.inputs
    cell, sequences = network.structure(), batch.sequences()
    outputs, last = (
        inputs.new_empty(*inputs.shape[:2], network.settings.outputs),
        torch.empty_like(batch.state),
    )
    trace = torch.empty(_trace_bytes(cell, sequences, inputs.dtype) if traced else 0, dtype=torch.uint8)
    sequences.outputs, sequences.last = outputs.data_ptr(), last.data_ptr()
    if traced:
        sequences.trace, sequences.trace_bytes = trace.data_ptr(), trace.numel()
    status = _function("forward", inputs.dtype)(
        cell, pointers([each.data_ptr() for each in parameters]), sequences, torch.get_num_threads()
    )
    binding.check(status)
    return outputs, last, trace


def differentiate(
    batch: Batch,
    parameters: Sequence[Tensor],
    network: Network,
    trace: Tensor,
    output_gradient: Tensor,
    last_gradient: Tensor,
    *,
    wanted: Sequence[bool],
) -> list[Tensor]:
    """Gradients for inputs, state and timespans, each empty where not ``wanted``, then for the parameters.

    Raises:
        MemoryError: there is no room.
    """
    batch, network = batch.contiguous(), network.as_type(batch.inputs.dtype)
    parameters = [each.contiguous() for each in parameters]
    output_gradient, last_gradient = output_gradient.contiguous(), last_gradient.contiguous()
    rooms = _rooms(batch, wanted)
    results = [torch.empty_like(each) for each in parameters]
    sequences = batch.sequences()
    sequences.trace, sequences.trace_bytes = trace.data_ptr(), trace.numel()
    inputs, state, timespans = (
        room.data_ptr() if is_wanted else None for room, is_wanted in zip(rooms, wanted, strict=True)
    )
    status = _function("backward", batch.inputs.dtype)(
        network.structure(),
        pointers([each.data_ptr() for each in parameters]),
        sequences,
        Gradients(output_gradient.data_ptr(), last_gradient.data_ptr(), inputs, timespans, state),
        pointers([each.data_ptr() for each in results]),
        torch.get_num_threads(),
    )
    binding.check(status)
    return rooms + results


def cfc(batch: Batch, parameters: list[Tensor], network: Network) -> tuple[Tensor, Tensor]:
    """Outputs ``(B, T, M)`` and the last state, with gradients for all of ``batch`` but ``forced``.

    Args:
        batch: the sequences.
        parameters: in the order of `CfCSpec.parameter_shapes`.
        network: the cell.

    Raises:
        ValueError: a timespan is not above 0.
        MemoryError: there is no room.
    """
    if torch.compiler.is_compiling():
        traced = torch.is_grad_enabled()
        outputs, last, _ = operator(*batch, parameters, list(network.masks), network.numbers(), traced)
        return outputs, last
    if torch.is_grad_enabled():
        result: tuple[Tensor, Tensor] = _CfC.apply(network, *batch, *parameters)  # type: ignore[no-untyped-call]
        return result
    outputs, last, _ = run(batch, parameters, network, traced=False)
    return outputs, last


class _CfC(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: Network, *tensors: Any) -> tuple[Tensor, Tensor]:
        batch, parameters = Batch(*tensors[:4]), tensors[4:]
        outputs, last, trace = run(batch, parameters, network, traced=any(ctx.needs_input_grad))
        ctx.save_for_backward(*tensors, trace)
        ctx.network = network
        return outputs, last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        *tensors, trace = ctx.saved_tensors
        wanted = ctx.needs_input_grad[1:4]
        if torch.is_grad_enabled():
            found = list(_Gradient.apply(ctx.network, wanted, trace, *gradients, *tensors))  # type: ignore[no-untyped-call]
        else:
            found = differentiate(
                Batch(*tensors[:4]), tensors[4:], ctx.network, trace, *gradients, wanted=wanted
            )
        return (None, *_in_order(found, wanted), *found[3:])


class _Gradient(torch.autograd.Function):
    """The gradient where it may itself be differentiated, which it refuses."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ARG004
        network: Network,
        wanted: Sequence[bool],
        trace: Tensor,
        *tensors: Any,
    ) -> tuple[Tensor, ...]:
        gradients, batch, parameters = tensors[:2], Batch(*tensors[2:6]), tensors[6:]
        return tuple(differentiate(batch, parameters, network, trace, *gradients, wanted=wanted))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        refuse_second_derivative(ctx, *gradients)


def _in_order(found: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    """The first gradients of `differentiate` in the order of `Batch`."""
    return [*(each if is_wanted else None for each, is_wanted in zip(found[:3], wanted, strict=True)), None]


def _rooms(batch: Batch, wanted: Sequence[bool]) -> list[Tensor]:
    return [
        batch.inputs.new_empty(each.shape if is_wanted and each is not None else 0)
        for each, is_wanted in zip(batch[:3], wanted, strict=True)
    ]


@torch.library.custom_op("ltc_edge::cfc", mutates_args=())
def operator(
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    parameters: list[Tensor],
    masks: list[Tensor],
    settings: list[int],
    traced: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`run` as an operator of torch; ``settings`` are `Network.numbers`."""
    batch = Batch(inputs, state, timespans, forced)
    return run(batch, parameters, Network.of_numbers(settings, masks), traced=traced)


@operator.register_fake
def _(
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,  # noqa: ARG001
    parameters: list[Tensor],  # noqa: ARG001
    masks: list[Tensor],  # noqa: ARG001
    settings: list[int],
    traced: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    batch, length = inputs.shape[:2]
    # Only sizes, and whether there are timespans, decide on the trace.
    network = Network.of_numbers(settings, [])
    sequences = Sequences(int(batch), int(length), None, None if timespans is None else 1)
    size = _trace_bytes(network.structure(), sequences, inputs.dtype) if traced else 0
    return (
        inputs.new_empty(batch, length, network.settings.outputs),
        state.new_empty(state.shape),
        inputs.new_empty(size, dtype=torch.uint8),
    )


@torch.library.custom_op("ltc_edge::cfc_backward", mutates_args=())
def backward_operator(
    output_gradient: Tensor,
    last_gradient: Tensor,
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    parameters: list[Tensor],
    masks: list[Tensor],
    settings: list[int],
    wanted: list[bool],
    trace: Tensor,
) -> list[Tensor]:
    """`differentiate` as an operator of torch."""
    batch, network = Batch(inputs, state, timespans, forced), Network.of_numbers(settings, masks)
    return differentiate(batch, parameters, network, trace, output_gradient, last_gradient, wanted=wanted)


@backward_operator.register_fake
def _(
    output_gradient: Tensor,  # noqa: ARG001
    last_gradient: Tensor,  # noqa: ARG001
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    parameters: list[Tensor],
    masks: list[Tensor],  # noqa: ARG001
    settings: list[int],  # noqa: ARG001
    wanted: list[bool],
    trace: Tensor,  # noqa: ARG001
) -> list[Tensor]:
    rooms = _rooms(Batch(inputs, state, timespans, forced), wanted)
    return rooms + [each.new_empty(each.shape) for each in parameters]


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    *batch, parameters, masks, settings, _ = inputs
    ctx.save_for_backward(*batch, output[2], *masks, *parameters)
    ctx.masks, ctx.settings = len(masks), settings


def _operator_backward(
    ctx: Any, output_gradient: Tensor, last_gradient: Tensor, _: Tensor
) -> tuple[Any, ...]:
    *batch, trace = ctx.saved_tensors[:5]
    rest = ctx.saved_tensors[5:]
    masks, parameters = list(rest[: ctx.masks]), list(rest[ctx.masks :])
    wanted = list(ctx.needs_input_grad[:3])
    found = backward_operator(
        output_gradient, last_gradient, *batch, parameters, masks, ctx.settings, wanted, trace
    )
    return (*_in_order(found, wanted), found[3:], [None] * ctx.masks, None, None)


operator.register_autograd(_operator_backward, setup_context=_save)
backward_operator.register_autograd(refuse_second_derivative)
