"""The step function of a generated float32 controller: what guards its arithmetic, before and after."""

from __future__ import annotations

from collections.abc import Iterator

from ltc_edge.export.c.body import Body
from ltc_edge.export.c.guard import Guard
from ltc_edge.export.c.header import Interface
from ltc_edge.export.c.source import refuse, refuse_context
from ltc_edge.export.c.stages import stage_comment
from ltc_edge.export.c.steps import Steps

HEADERS = ("ltc_f32.h", "ltc_f32_arithmetic.h")
KERNELS = frozenset({"ltc_within_f32", "ltc_checksum_f32"})


def add_guard(body: Body, guard: Guard) -> None:
    """Put the guard's numbers into the parameter block, and note which kernels it calls."""
    for name in ("dt_range", "fallback", "action_low", "action_high", "initial_state"):
        body.block.array(name, getattr(guard, name))
    for name in ("state_low", "state_high"):
        body.block.array(name, getattr(guard, name))
    body.kernels |= KERNELS
    if guard.slew is not None:
        body.block.array("action_slew", guard.slew)
        body.kernels.add("ltc_slew_f32")


def step_f32(interface: Interface, steps: Steps, body: Body, guard: Guard) -> Iterator[str]:
    """The lines of ``<name>_step``, of a body that is written and has its guard."""
    name, upper = interface.name, interface.name.upper()
    opening = f"uint32_t {name}_step("
    yield f"{opening}{name}_context *context, const float observation[{upper}_OBSERVATIONS],"
    yield f"{' ' * len(opening)}float dt, float action[{upper}_ACTIONS])"
    yield "{"
    yield f"    float scratch[{max(body.buffers.size, 1)}];"
    yield from _activation(body)
    yield f"    uint32_t status = {upper}_OK;"
    yield ""
    yield from refuse_context(interface, "give_fallback")
    yield from refuse(
        f"!ltc_finite_f32(observation, {interface.inputs}U) || !ltc_finite_f32(&dt, 1U)",
        f"give_fallback(action, {upper}_NONFINITE_INPUT)",
    )
    yield from clamped_seconds(upper)
    yield ""
    yield from body.lines
    yield ""
    yield f"    {stage_comment('guard')}"
    yield from _commit(interface, steps, body, guard)
    yield "}"


def clamped_seconds(upper: str) -> Iterator[str]:
    """Lines that bring dt into its range, as ``seconds``."""
    yield "    const float seconds[1] = { ltc_minimum(ltc_maximum(dt, parameters.dt_range[0]),"
    yield "                                           parameters.dt_range[1]) };"
    yield "    if ((seconds[0] > dt) || (seconds[0] < dt)) {"
    yield f"        status |= {upper}_DT_CLAMPED;"
    yield "    }"


def _activation(body: Body) -> Iterator[str]:
    if body.activations:
        yield "#if LTC_F32_VECTORS"
        yield f"    float activation[{body.activations}];"
        yield "#else"
        yield "    float *const activation = 0;"
        yield "#endif"


def _commit(interface: Interface, steps: Steps, body: Body, guard: Guard) -> Iterator[str]:
    """Nothing is written to the context before what is to be written is known to be good."""
    upper = interface.name.upper()
    action, state = body.places[steps.action], body.places[steps.state]
    count, units = f"{interface.actions}U", f"{interface.cell_state}U"
    bounds = "parameters.state_low, parameters.state_high"
    yield from refuse(
        f"!ltc_finite_f32({action}, {count})\n        || !ltc_within_f32({state}, {bounds}, {units})",
        f"give_fallback(action, {upper}_STATE_OUT_OF_BOUNDS)",
    )
    yield f"    if (ltc_limit_f32(parameters.action_low, parameters.action_high, {action}, {count}) != 0U) {{"
    yield f"        status |= {upper}_SATURATED;"
    yield "    }"
    previous = f"&context->state[{interface.cell_state}]"
    if guard.slew is not None:
        slewed = f"ltc_slew_f32(parameters.action_slew, seconds[0], {previous}, {action}, {count})"
        yield f"    if ({slewed} != 0U) {{"
        yield f"        status |= {upper}_SLEW_LIMITED;"
        yield "    }"
    yield f"    ltc_copy_f32({state}, context->state, {units});"
    if guard.slew is not None:
        yield f"    ltc_copy_f32({action}, {previous}, {count});"
    yield "    context->checksum = checksum_of(context);"
    yield f"    ltc_copy_f32({action}, action, {count});"
    yield "    return status;"
