"""The recurrent part of an LTC over whole sequences as an operator of torch, with its gradient.

What inputs and leak add to the sums does not depend on the state: torch computes it for all steps at once,
and differentiates it. There is no second derivative.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from ltc_edge.kernels.binding import SOLVERS
from ltc_edge.kernels.gpu import passes
from ltc_edge.kernels.gpu.rows import GATES
from ltc_edge.kernels.refusal import refuse_second_derivative

MOST_PROGRAMS = 1024
"""At a time; each goes through its share of the batch, and leaves sums of its own."""
PLACES_A_WARP = 256
MOST_WARPS = 32
_RK4, _STAGES, _KEPT = SOLVERS.index("rk4"), 4, 3


class Synapses(NamedTuple):
    """Each ``(S,)``: an activation is σ(slope v + shift), ``to_*`` are its weights in the sums N and D."""

    slope: Tensor
    shift: Tensor
    to_numerator: Tensor
    to_denominator: Tensor


class Tables(NamedTuple):
    """int32 ``(P, W)``: where synapses lie, as `ltc_edge.kernels.gpu.rows.tables` has it."""

    target_slots: Tensor
    target_ends: Tensor
    source_slots: Tensor
    source_ends: Tensor


class Sequences(NamedTuple):
    """What a batch brings; B and T are above 0.

    Attributes:
        drive: ``(B, T, 2N)``, what inputs and leak add to N | to D.
        state: ``(B, N)``, with a memory ``(B, 2N)``.
        timespans: ``(B, T)``, above 0.
        forced: as ``state`` with a step's axis, or None: what steps go on from.
        gates: ``(B, T, 4N)``, the inputs' share of an LSTM memory's gates, or None for no memory.
        recurrent: its recurrent weights ``(4N, N)``.
    """

    drive: Tensor
    state: Tensor
    timespans: Tensor
    forced: Tensor | None
    gates: Tensor | None
    recurrent: Tensor | None


def rollout(
    sequences: Sequences, cm: Tensor, synapses: Synapses, tables: Tables, solver: str, unfolds: int
) -> Tensor:
    """States after each step, as ``forced``, with gradients for all but that; ``cm`` is ``(N,)``."""
    settings = [SOLVERS.index(solver), unfolds]
    traced = torch.is_grad_enabled()
    states: Tensor = operator(*sequences, cm, *synapses, *tables, settings, traced)[0]
    return states


@torch.library.custom_op("ltc_edge::ltc_rollout", mutates_args=())
def operator(
    drive: Tensor,
    state: Tensor,
    timespans: Tensor,
    forced: Tensor | None,
    gates: Tensor | None,
    recurrent: Tensor | None,
    cm: Tensor,
    slope: Tensor,
    shift: Tensor,
    to_numerator: Tensor,
    to_denominator: Tensor,
    target_slots: Tensor,
    target_ends: Tensor,
    source_slots: Tensor,  # noqa: ARG001 of the way back
    source_ends: Tensor,  # noqa: ARG001
    settings: list[int],
    traced: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """`rollout`, and the traces of evaluations and of gates, which are empty where not ``traced``."""
    room = _room(drive, state, gates, settings, traced)
    batch, length = drive.shape[:2]
    # What there is none of is not read.
    perhaps = (drive if each is None else each for each in (forced, gates, recurrent))
    sequences = (drive, state, timespans, *perhaps)
    parameters = (cm, target_slots, target_ends, slope, shift, to_numerator, to_denominator)
    passes.forward[(min(batch, MOST_PROGRAMS),)](
        *(each.contiguous() for each in (*sequences, *parameters)),
        *(*room, batch, length, cm.numel()),
        is_forced=forced is not None,
        traced=traced,
        **_options(target_slots, settings, gates is not None),
    )
    return room


@operator.register_fake
def _(
    drive: Tensor, state: Tensor, _: Tensor, __: Tensor | None, gates: Tensor | None, *rest: Any
) -> tuple[Tensor, Tensor, Tensor]:
    settings, traced = rest[-2:]
    return _room(drive, state, gates, settings, traced)


def _room(
    drive: Tensor, state: Tensor, gates: Tensor | None, settings: list[int], traced: bool
) -> tuple[Tensor, Tensor, Tensor]:
    batch, length, sums = drive.shape
    solver, unfolds = settings
    evaluations = unfolds * (_STAGES if solver == _RK4 else 1)
    trace = (batch, length, evaluations, _KEPT, sums // 2) if traced else (0,)
    gates_trace = gates.shape if traced and gates is not None else (0,)
    return (
        drive.new_empty(batch, length, state.shape[1]),
        drive.new_empty(trace),
        drive.new_empty(gates_trace),
    )


def _options(slots: Tensor, settings: list[int], memory: bool) -> dict[str, Any]:
    """What a pass is compiled for."""
    (padded, width), (solver, unfolds) = slots.shape, settings
    places = padded * max(width, GATES * padded if memory else 0)
    warps = min(max(places // PLACES_A_WARP, 1), MOST_WARPS)
    options = {"solver": solver, "unfolds": unfolds, "memory": memory, "padded": padded, "width": width}
    return {**options, "num_warps": warps}


@torch.library.custom_op("ltc_edge::ltc_rollout_backward", mutates_args=())
def backward_operator(
    states_gradient: Tensor,
    timespans: Tensor,
    state: Tensor,
    states: Tensor,
    recurrent: Tensor | None,
    cm: Tensor,
    slope: Tensor,
    shift: Tensor,
    to_numerator: Tensor,
    to_denominator: Tensor,
    source_slots: Tensor,
    source_ends: Tensor,
    trace: Tensor,
    gates_trace: Tensor,
    settings: list[int],
) -> list[Tensor]:
    """Gradients of drive, state, timespans, gates (empty without any) and cm, and ``(4, S)`` of synapses."""
    found = _gradients_room(states_gradient, state, cm, gates_trace)
    batch, length, units = *states.shape[:2], cm.numel()
    programs, synapses = min(batch, MOST_PROGRAMS), slope.numel()
    cm_sums, sums = cm.new_empty(programs, units), cm.new_empty(programs, 4, synapses)
    weights = cm if recurrent is None else recurrent
    sequences = (states_gradient, timespans, state, states, weights, cm, trace, gates_trace)
    parameters = (source_slots, source_ends, slope, shift, to_numerator, to_denominator)
    passes.backward[(programs,)](
        *(each.contiguous() for each in (*sequences, *parameters)),
        *(*found, cm_sums, sums, batch, length, units, synapses),
        **_options(source_slots, settings, recurrent is not None),
    )
    return [*found, cm_sums.sum(dim=0), sums.sum(dim=0)]


@backward_operator.register_fake
def _(states_gradient: Tensor, *others: Any) -> list[Tensor]:
    _, state, _, _, cm, slope, *rest = others
    gates_trace = rest[-2]
    found = _gradients_room(states_gradient, state, cm, gates_trace)
    return [*found, torch.empty_like(cm), cm.new_empty(4, slope.numel())]


def _gradients_room(
    states_gradient: Tensor, state: Tensor, cm: Tensor, gates_trace: Tensor
) -> tuple[Tensor, ...]:
    batch, length, _ = states_gradient.shape
    new = states_gradient.new_empty
    shapes = (batch, length, 2 * cm.numel()), state.shape, (batch, length), gates_trace.shape
    return tuple(new(shape) for shape in shapes)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor, Tensor]) -> None:
    _, state, timespans, _, _, recurrent, *parameters, _, _, source_slots, source_ends, settings, _ = inputs
    states, *traces = output
    tables = (source_slots, source_ends)
    ctx.save_for_backward(timespans, state, states, recurrent, *parameters, *tables, *traces)
    ctx.settings = settings


def _differentiate(ctx: Any, states_gradient: Tensor, *_: Tensor) -> tuple[Any, ...]:
    _, state, states, recurrent, *_ = ctx.saved_tensors
    found = backward_operator(states_gradient, *ctx.saved_tensors, ctx.settings)
    drive, of_state, timespans, gates, cm, sums = found
    to_numerator, to_denominator, slope, shift = sums.unbind()
    of_gates, of_recurrent = None, None
    if recurrent is not None:
        # All steps at once: gates of a step, outer product with the state before it.
        units = cm.numel()
        before = torch.cat([state[:, None, :units], states[:, :-1, :units]], dim=1)
        of_gates, of_recurrent = gates, gates.flatten(0, 1).T @ before.flatten(0, 1)
    synapses = (slope, shift, to_numerator, to_denominator)
    return (drive, of_state, timespans, None, of_gates, of_recurrent, cm, *synapses, *[None] * 6)


operator.register_autograd(_differentiate, setup_context=_save)
backward_operator.register_autograd(refuse_second_derivative)
