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
from ltc_edge.kernels.gpu.rows import Tables
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


class Sequences(NamedTuple):
    """What a batch brings.

    Attributes:
        drive: ``(B, T, 2N)``, what inputs and leak add to N | to D; T is above 0.
        state: ``(B, N)``.
        timespans: ``(B, T)``, above 0.
        forced: ``(B, T, N)``, what steps go on from, or None.
    """

    drive: Tensor
    state: Tensor
    timespans: Tensor
    forced: Tensor | None


def rollout(
    sequences: Sequences, cm: Tensor, synapses: Synapses, tables: Tables, solver: str, unfolds: int
) -> Tensor:
    """States ``(B, T, N)`` after each step, with gradients for all but ``forced``; ``cm`` is ``(N,)``."""
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
) -> tuple[Tensor, Tensor]:
    """`rollout`, and the trace, which is empty where not ``traced``."""
    states, trace = _room(drive, state, settings, traced)
    batch, length, units = states.shape
    parameters = (cm, target_slots, target_ends, slope, shift, to_numerator, to_denominator)
    replaced = drive if forced is None else forced
    if batch > 0:
        passes.forward[(min(batch, MOST_PROGRAMS),)](
            *(each.contiguous() for each in (drive, state, timespans, replaced, *parameters)),
            *(states, trace, batch, length, units),
            is_forced=forced is not None,
            traced=traced,
            **_options(target_slots, settings),
        )
    return states, trace


@operator.register_fake
def _(drive: Tensor, state: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    *_, settings, traced = rest
    return _room(drive, state, settings, traced)


def _room(drive: Tensor, state: Tensor, settings: list[int], traced: bool) -> tuple[Tensor, Tensor]:
    (batch, length, _), units = drive.shape, state.shape[1]
    solver, unfolds = settings
    evaluations = unfolds * (_STAGES if solver == _RK4 else 1)
    trace = (batch, length, evaluations, _KEPT, units) if traced else (0,)
    return drive.new_empty(batch, length, units), drive.new_empty(trace)


def _options(slots: Tensor, settings: list[int]) -> dict[str, int]:
    """What a pass is compiled for."""
    (padded, width), (solver, unfolds) = slots.shape, settings
    warps = min(max(padded * width // PLACES_A_WARP, 1), MOST_WARPS)
    return {"solver": solver, "unfolds": unfolds, "padded": padded, "width": width, "num_warps": warps}


@torch.library.custom_op("ltc_edge::ltc_rollout_backward", mutates_args=())
def backward_operator(
    states_gradient: Tensor,
    timespans: Tensor,
    cm: Tensor,
    slope: Tensor,
    shift: Tensor,
    to_numerator: Tensor,
    to_denominator: Tensor,
    source_slots: Tensor,
    source_ends: Tensor,
    trace: Tensor,
    settings: list[int],
) -> list[Tensor]:
    """Gradients of drive, state, timespans and cm, and ``(4, S)`` those of `Synapses`."""
    found = [*_sequences_room(states_gradient)]
    batch, length, units = states_gradient.shape
    programs, synapses = min(batch, MOST_PROGRAMS), slope.numel()
    cm_sums, sums = cm.new_empty(programs, units), cm.new_empty(programs, 4, synapses)
    parameters = (cm, trace, source_slots, source_ends, slope, shift, to_numerator, to_denominator)
    if batch > 0:
        passes.backward[(programs,)](
            *(each.contiguous() for each in (states_gradient, timespans, *parameters)),
            *(*found, cm_sums, sums, batch, length, units, synapses),
            **_options(source_slots, settings),
        )
    return [*found, cm_sums.sum(dim=0), sums.sum(dim=0)]


@backward_operator.register_fake
def _(states_gradient: Tensor, _: Tensor, cm: Tensor, slope: Tensor, *__: Any) -> list[Tensor]:
    return [*_sequences_room(states_gradient), torch.empty_like(cm), cm.new_empty(4, slope.numel())]


def _sequences_room(states_gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    batch, length, units = states_gradient.shape
    new = states_gradient.new_empty
    return new(batch, length, 2 * units), new(batch, units), new(batch, length)


def _save(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    _, _, timespans, _, *parameters, _, _, source_slots, source_ends, settings, _ = inputs
    ctx.save_for_backward(timespans, *parameters, source_slots, source_ends, output[1])
    ctx.settings = settings


def _differentiate(ctx: Any, states_gradient: Tensor, _: Tensor) -> tuple[Any, ...]:
    drive, state, timespans, cm, sums = backward_operator(states_gradient, *ctx.saved_tensors, ctx.settings)
    to_numerator, to_denominator, slope, shift = sums.unbind()
    synapses = (slope, shift, to_numerator, to_denominator)
    return (drive, state, timespans, None, cm, *synapses, *[None] * 6)


operator.register_autograd(_differentiate, setup_context=_save)
backward_operator.register_autograd(refuse_second_derivative)
