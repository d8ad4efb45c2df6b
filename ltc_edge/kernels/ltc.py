"""Whole sequences of an LTC in one call of the kernel, with its gradient, for torch on the CPU.

There are two ways in, over the same functions: an `autograd.Function`, which costs the least, and an operator
that is registered with torch, which `torch.compile` can carry in its graph. There is no second derivative.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from torch import Tensor

from ltc_edge.kernels import binding
from ltc_edge.kernels.binding import Circuit, Gradients, Parameters, Sequences
from ltc_edge.kernels.mode import fused_library
from ltc_edge.kernels.refusal import refuse_second_derivative
from ltc_edge.kernels.trace_memory import trace_of

_T = TypeVar("_T")

_INDEX_BYTES = 4

MOST_TRACE_BYTES = 256 << 20
"""What the forward pass may leave to the backward pass; beyond it steps are computed again."""


@functools.cache
def library() -> ctypes.CDLL:
    """The loaded library, its functions declared."""
    found = fused_library()
    assert found is not None
    binding.declare(found)
    return found


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _function(name: str, dtype: torch.dtype) -> Any:
    return getattr(library(), f"ltc_edge_ltc_{name}_{'f32' if dtype == torch.float32 else 'f64'}")


def _trace_bytes(circuit: Circuit, sequences: Sequences, dtype: torch.dtype) -> int:
    size: int = library().ltc_edge_ltc_trace(circuit, sequences, dtype.itemsize, MOST_TRACE_BYTES)
    return size


@dataclass(frozen=True, eq=False)
class Network:
    """The circuit and the solver.

    Attributes:
        synapses: int32 ``(2, S)``: sources, targets, ordered by source.
        sensory: int32 ``(2, R)`` likewise.
        outputs: motor neurons M.
        settings: the solver's number, unfolds, whether softplus, whether affine.
    """

    synapses: Tensor
    sensory: Tensor
    outputs: int
    settings: tuple[int, int, int, int]

    def circuit(self, inputs: int, units: int) -> Circuit:
        """The C structure; it points into the tensors here."""
        count, sensory_count = self.synapses.shape[1], self.sensory.shape[1]
        start, sensory_start = self.synapses.data_ptr(), self.sensory.data_ptr()
        return Circuit(
            inputs,
            units,
            self.outputs,
            count,
            sensory_count,
            *self.settings,
            start,
            start + _INDEX_BYTES * count,
            sensory_start,
            sensory_start + _INDEX_BYTES * sensory_count,
        )


class Batch(NamedTuple):
    """Sequences: float32 or float64, all alike.

    Attributes:
        inputs: ``(B, T, I)``.
        state: ``(B, N)``, with a memory ``(B, 2N)``.
        timespans: ``(B, T)``, or None for 1.
        forced: as ``state`` with a step's axis, or None: what steps go on from.
        gates: ``(B, T, 4N)``, the inputs' share of an LSTM memory's gates, or None for no memory.
        recurrent: its recurrent weights ``(4N, N)``.
    """

    inputs: Tensor
    state: Tensor
    timespans: Tensor | None
    forced: Tensor | None
    gates: Tensor | None
    recurrent: Tensor | None

    def contiguous(self) -> Batch:
        """The same values as the kernel reads them."""
        return Batch(*(None if each is None else each.contiguous() for each in self))  # type: ignore[arg-type]

    def sequences(self) -> Sequences:
        """The C structure; it points into the tensors here."""
        inputs, state, timespans, forced, gates, recurrent = map(_address, self)
        batch, length = self.inputs.shape[:2]
        return Sequences(batch, length, inputs, timespans, state, forced, gates, recurrent)


def run(
    batch: Batch, parameters: list[Tensor], network: Network, *, traced: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs ``(B, T, M)``, the last state and the trace, which is empty where not ``traced``.

    Raises:
        ValueError: a timespan is not above 0.
        MemoryError: there is no room.
    """
    batch = batch.contiguous()
    parameters = [each.contiguous() for each in parameters]
    inputs = batch.inputs
    circuit, sequences = network.circuit(inputs.shape[2], parameters[0].shape[0]), batch.sequences()
    outputs, last = inputs.new_empty(*inputs.shape[:2], network.outputs), torch.empty_like(batch.state)
    trace = trace_of(_trace_bytes(circuit, sequences, inputs.dtype) if traced else 0)
    sequences.outputs, sequences.last = outputs.data_ptr(), last.data_ptr()
    if traced:
        sequences.trace, sequences.trace_bytes = trace.data_ptr(), trace.numel()
    addresses = Parameters(*map(_address, parameters))
    binding.check(_function("forward", inputs.dtype)(circuit, addresses, sequences, torch.get_num_threads()))
    return outputs, last, trace


def differentiate(
    batch: Batch,
    parameters: list[Tensor],
    network: Network,
    trace: Tensor,
    output_gradient: Tensor,
    last_gradient: Tensor,
    *,
    wanted: Sequence[bool],
) -> list[Tensor]:
    """Gradients for inputs, state, timespans, gates, recurrent, each empty where not ``wanted``, then for the
    parameters.

    Raises:
        MemoryError: there is no room.
    """
    batch = batch.contiguous()
    parameters = [each.contiguous() for each in parameters]
    output_gradient, last_gradient = output_gradient.contiguous(), last_gradient.contiguous()
    rooms = _rooms(batch, wanted)
    results = [torch.empty_like(each) for each in parameters]
    circuit, sequences = network.circuit(batch.inputs.shape[2], parameters[0].shape[0]), batch.sequences()
    sequences.trace, sequences.trace_bytes = trace.data_ptr(), trace.numel()
    inputs, state, timespans, gates, recurrent = (
        room.data_ptr() if is_wanted else None for room, is_wanted in zip(rooms, wanted, strict=True)
    )
    status = _function("backward", batch.inputs.dtype)(
        circuit,
        Parameters(*map(_address, parameters)),
        sequences,
        Gradients(
            output_gradient.data_ptr(), last_gradient.data_ptr(), inputs, timespans, state, gates, recurrent
        ),
        Parameters(*map(_address, results)),
        torch.get_num_threads(),
    )
    binding.check(status)
    return rooms + results


def ltc(batch: Batch, parameters: list[Tensor], network: Network) -> tuple[Tensor, Tensor]:
    """Outputs ``(B, T, M)`` and the last state, with gradients for all of ``batch`` but ``forced``.

    Raises:
        ValueError: a timespan is not above 0.
        MemoryError: there is no room.
    """
    if torch.compiler.is_compiling():
        settings = [network.outputs, *network.settings]
        traced = torch.is_grad_enabled()
        outputs, last, _ = operator(*batch, parameters, network.synapses, network.sensory, settings, traced)
        return outputs, last
    if torch.is_grad_enabled():
        result: tuple[Tensor, Tensor] = _LTC.apply(network, *batch, *parameters)  # type: ignore[no-untyped-call]
        return result
    outputs, last, _ = run(batch, parameters, network, traced=False)
    return outputs, last


class _LTC(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, network: Network, *tensors: Any) -> tuple[Tensor, Tensor]:
        batch, parameters = Batch(*tensors[:6]), list(tensors[6:])
        outputs, last, trace = run(batch, parameters, network, traced=any(ctx.needs_input_grad))
        ctx.save_for_backward(*tensors, trace)
        ctx.network = network
        return outputs, last

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        *tensors, trace = ctx.saved_tensors
        batch = Batch(*tensors[:6])
        wanted = _differentiable(ctx.needs_input_grad[1:7])
        if torch.is_grad_enabled():
            found = list(_Gradient.apply(ctx.network, wanted, trace, *gradients, *tensors))  # type: ignore[no-untyped-call]
        else:
            found = differentiate(batch, tensors[6:], ctx.network, trace, *gradients, wanted=wanted)
        return (None, *_in_order(found, wanted), *found[5:])


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
        gradients, batch, parameters = tensors[:2], Batch(*tensors[2:8]), list(tensors[8:])
        return tuple(differentiate(batch, parameters, network, trace, *gradients, wanted=wanted))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        refuse_second_derivative(ctx, *gradients)


def _differentiable(of_batch: Sequence[_T]) -> tuple[_T, ...]:
    """What stands for inputs, state, timespans, gates and recurrent weights in the order of `Batch`."""
    inputs, state, timespans, _, gates, recurrent = of_batch
    return inputs, state, timespans, gates, recurrent


def _in_order(found: Sequence[Tensor], wanted: Sequence[bool]) -> list[Tensor | None]:
    """The first gradients of `differentiate` in the order of `Batch`."""
    known = (each if is_wanted else None for each, is_wanted in zip(found[:5], wanted, strict=True))
    inputs, state, timespans, gates, recurrent = known
    return [inputs, state, timespans, None, gates, recurrent]


def _rooms(batch: Batch, wanted: Sequence[bool]) -> list[Tensor]:
    return [
        batch.inputs.new_empty(each.shape if is_wanted and each is not None else 0)
        for each, is_wanted in zip(_differentiable(batch), wanted, strict=True)
    ]


@torch.library.custom_op("ltc_edge::ltc", mutates_args=())
def operator(
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    gates: Tensor | None,
    recurrent: Tensor | None,
    parameters: list[Tensor],
    synapses: Tensor,
    sensory: Tensor,
    settings: list[int],
    traced: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`run` as an operator of torch; ``settings`` are those of `Network`, its outputs first."""
    batch = Batch(inputs, state, timespans, forced, gates, recurrent)
    return run(batch, parameters, _network(synapses, sensory, settings), traced=traced)


@operator.register_fake
def _(
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    gates: Tensor | None,
    recurrent: Tensor | None,
    parameters: list[Tensor],
    synapses: Tensor,
    sensory: Tensor,
    settings: list[int],
    traced: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    batch, length = inputs.shape[:2]
    # Only sizes, and what is present, decide on the trace.
    outputs, *rest = settings
    sizes = (inputs.shape[2], parameters[0].shape[0], outputs, synapses.shape[1], sensory.shape[1])
    present = (None if each is None else 1 for each in (timespans, state, forced, gates, recurrent))
    circuit = Circuit(*map(int, sizes), *rest)
    sequences = Sequences(int(batch), int(length), None, *present)
    size = _trace_bytes(circuit, sequences, inputs.dtype) if traced else 0
    return (
        inputs.new_empty(batch, length, outputs),
        state.new_empty(state.shape),
        inputs.new_empty(size, dtype=torch.uint8),
    )


@torch.library.custom_op("ltc_edge::ltc_backward", mutates_args=())
def backward_operator(
    output_gradient: Tensor,
    last_gradient: Tensor,
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    gates: Tensor | None,
    recurrent: Tensor | None,
    parameters: list[Tensor],
    synapses: Tensor,
    sensory: Tensor,
    settings: list[int],
    wanted: list[bool],
    trace: Tensor,
) -> list[Tensor]:
    """`differentiate` as an operator of torch."""
    batch = Batch(inputs, state, timespans, forced, gates, recurrent)
    network = _network(synapses, sensory, settings)
    return differentiate(batch, parameters, network, trace, output_gradient, last_gradient, wanted=wanted)


@backward_operator.register_fake
def _(
    output_gradient: Tensor,  # noqa: ARG001
    last_gradient: Tensor,  # noqa: ARG001
    inputs: Tensor,
    state: Tensor,
    timespans: Tensor | None,
    forced: Tensor | None,
    gates: Tensor | None,
    recurrent: Tensor | None,
    parameters: list[Tensor],
    synapses: Tensor,  # noqa: ARG001
    sensory: Tensor,  # noqa: ARG001
    settings: list[int],  # noqa: ARG001
    wanted: list[bool],
    trace: Tensor,  # noqa: ARG001
) -> list[Tensor]:
    rooms = _rooms(Batch(inputs, state, timespans, forced, gates, recurrent), wanted)
    return rooms + [each.new_empty(each.shape) for each in parameters]


def _network(synapses: Tensor, sensory: Tensor, settings: list[int]) -> Network:
    outputs, solver, unfolds, softplus, affine = settings
    return Network(synapses, sensory, outputs, (solver, unfolds, softplus, affine))


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    *batch, parameters, synapses, sensory, settings, _ = inputs
    ctx.save_for_backward(*batch, synapses, sensory, output[2], *parameters)
    ctx.settings = settings


def _operator_backward(
    ctx: Any, output_gradient: Tensor, last_gradient: Tensor, _: Tensor
) -> tuple[Any, ...]:
    tensors = ctx.saved_tensors
    batch, (synapses, sensory, trace), parameters = Batch(*tensors[:6]), tensors[6:9], list(tensors[9:])
    wanted = list(_differentiable(ctx.needs_input_grad[:6]))
    found = backward_operator(
        output_gradient, last_gradient, *batch, parameters, synapses, sensory, ctx.settings, wanted, trace
    )
    return (*_in_order(found, wanted), found[5:], None, None, None, None)


operator.register_autograd(_operator_backward, setup_context=_save)
backward_operator.register_autograd(refuse_second_derivative)
