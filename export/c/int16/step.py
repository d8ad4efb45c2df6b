"""The step functions of a generated int16 controller: of codes, and of raw values around it."""

from __future__ import annotations

from collections.abc import Iterator

from ltc_edge.export.c.header import Interface
from ltc_edge.export.c.int16.body import Body
from ltc_edge.export.c.int16.guard import CodeGuard
from ltc_edge.export.c.int16.steps import Steps
from ltc_edge.export.c.source import refuse, refuse_context
from ltc_edge.export.c.stages import stage_comment
from ltc_edge.export.c.step_f32 import clamped_seconds

HEADERS = ("ltc_f32.h", "ltc_f32_arithmetic.h", "ltc_i16.h", "ltc_i16_arithmetic.h")
KERNELS = frozenset(
    f"ltc_{name}_i16" for name in ("checksum", "copy", "encode", "decode", "saturated", "quotient")
)


def add_guard(body: Body, guard: CodeGuard) -> None:
    """Put the guard's numbers into the parameter block, and note which kernels it calls."""
    for name in ("dt_range", "fallback", "action_low", "action_high"):
        body.block.array(name, getattr(guard.raw, name))
    for name in ("observation_center", "observation_gain", "dt_center", "dt_gain"):
        body.block.array(name, getattr(guard, name))
    for name in ("action_center", "action_span", "dt_codes", "fallback_codes"):
        body.block.array(name, getattr(guard, name))
    body.block.array("initial_state", guard.initial_state)
    body.kernels |= KERNELS
    if guard.raw.slew is not None:
        body.kernels.add("ltc_differ_i16")


def declarations(interface: Interface, guard: CodeGuard) -> Iterator[str]:
    """Lines of the header that a float32 controller does not have."""
    name, upper = interface.name, interface.name.upper()
    yield "/*"
    yield " * The same step without any floating point, from codes to codes: for a processor without FPU, or"
    yield " * values that come as whole numbers. Codes are from -32767 to 32767, and stand for:"
    for index in range(interface.inputs):
        center, span = float(guard.observation_center[index]), 1.0 / float(guard.observation_gain[index])
        yield f" *     observation[{index}] = {center:.9g} + code * {span:.9g}"
    yield f" *     dt = code * {1.0 / float(guard.dt_gain[0]):.9g}"
    for index in range(interface.actions):
        center, span = float(guard.action_center[index]), float(guard.action_span[index])
        yield f" *     action[{index}] = {center:.9g} + code * {span:.9g}"
    yield " */"
    opening = f"uint32_t {name}_step_codes("
    yield f"{opening}{name}_context *context, const int16_t observation[{upper}_OBSERVATIONS],"
    yield f"{' ' * len(opening)}int16_t dt, int16_t action[{upper}_ACTIONS]);"
    yield ""


def step_i16(interface: Interface, steps: Steps, body: Body, guard: CodeGuard) -> Iterator[str]:
    """The lines of ``<name>_step_codes`` and ``<name>_step``, of a body that is written and has its guard."""
    yield "static uint32_t give_fallback_codes(int16_t *action, uint32_t status)"
    yield "{"
    yield f"    ltc_copy_i16(parameters.fallback_codes, action, {interface.actions}U);"
    yield "    return status;"
    yield "}"
    yield ""
    yield from _step_codes(interface, steps, body, guard)
    yield ""
    yield from _step(interface)


def _step_codes(interface: Interface, steps: Steps, body: Body, guard: CodeGuard) -> Iterator[str]:
    name, upper = interface.name, interface.name.upper()
    opening = f"uint32_t {name}_step_codes("
    yield f"{opening}{name}_context *context, const int16_t observation[{upper}_OBSERVATIONS],"
    yield f"{' ' * len(opening)}int16_t dt, int16_t action[{upper}_ACTIONS])"
    yield "{"
    yield f"    int16_t scratch[{max(body.buffers.size, 1)}];"
    if body.drives.size:
        yield f"    ltc_drive_i16 drives[{body.drives.size}];"
    yield f"    uint32_t status = {upper}_OK;"
    yield ""
    yield from refuse_context(interface, "give_fallback_codes")
    yield "    const int16_t elapsed[1] = {"
    yield "        (int16_t)ltc_clamp_i32(dt, parameters.dt_codes[0], parameters.dt_codes[1])"
    yield "    };"
    yield "    if (elapsed[0] != dt) {"
    yield f"        status |= {upper}_DT_CLAMPED;"
    yield "    }"
    yield ""
    yield from body.lines
    yield ""
    yield f"    {stage_comment('guard')}"
    action, count = body.places[steps.action], f"{interface.actions}U"
    unlimited = body.places[steps.unlimited]
    yield f"    if (ltc_saturated_i16({unlimited}, {count}) != 0U) {{"
    yield f"        status |= {upper}_SATURATED;"
    yield "    }"
    if guard.raw.slew is not None:
        yield f"    if (ltc_differ_i16({unlimited}, {action}, {count}) != 0U) {{"
        yield f"        status |= {upper}_SLEW_LIMITED;"
        yield "    }"
    yield f"    ltc_copy_i16({body.places[steps.state]}, context->state, {interface.state}U);"
    yield "    context->checksum = checksum_of(context);"
    yield f"    ltc_copy_i16({action}, action, {count});"
    yield "    return status;"
    yield "}"


def _step(interface: Interface) -> Iterator[str]:
    name, upper = interface.name, interface.name.upper()
    inputs, actions = f"{interface.inputs}U", f"{interface.actions}U"
    opening = f"uint32_t {name}_step("
    yield f"{opening}{name}_context *context, const float observation[{upper}_OBSERVATIONS],"
    yield f"{' ' * len(opening)}float dt, float action[{upper}_ACTIONS])"
    yield "{"
    yield f"    int16_t codes[{upper}_OBSERVATIONS];"
    yield f"    int16_t acted[{upper}_ACTIONS];"
    yield "    int16_t elapsed[1];"
    yield f"    uint32_t status = {upper}_OK;"
    yield ""
    yield from refuse(
        f"!ltc_finite_f32(observation, {inputs}) || !ltc_finite_f32(&dt, 1U)",
        f"give_fallback(action, {upper}_NONFINITE_INPUT)",
    )
    yield from clamped_seconds(upper)
    center_gain = "parameters.observation_center, parameters.observation_gain"
    yield f"    ltc_encode_i16(observation, {center_gain}, codes, {inputs});"
    yield "    ltc_encode_i16(seconds, parameters.dt_center, parameters.dt_gain, elapsed, 1U);"
    yield f"    status |= {name}_step_codes(context, codes, elapsed[0], acted);"
    yield from refuse(f"(status & {upper}_NO_ACTION) != 0U", "give_fallback(action, status)")
    yield f"    ltc_decode_i16(acted, parameters.action_center, parameters.action_span, action, {actions});"
    # A limit that float32 cannot hold lies a little within; it was met where its code was.
    yield f"    (void)ltc_limit_f32(parameters.action_low, parameters.action_high, action, {actions});"
    yield "    return status;"
    yield "}"
