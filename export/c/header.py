"""The header of a generated controller."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.export.c.guard import MEANING, NO_ACTION, STATUS
from ltc_edge.export.c.sources import StateType
from ltc_edge.export.c.text import comment_text, float_literal
from ltc_edge.version import __version__


@dataclass(frozen=True)
class Interface:
    """What header and source share.

    Attributes:
        name: what every name begins with.
        inputs, actions: how many there are.
        state: items of the context; where slew is limited the last ones are the previous action.
        cell_state: of these, the cell's.
        state_type: of each item.
    """

    name: str
    inputs: int
    actions: int
    state: int
    cell_state: int
    state_type: StateType

    @classmethod
    def of(cls, controller: Controller, name: str, state_type: StateType) -> Interface:
        """The interface of a controller called ``name``."""
        return cls(
            name,
            controller.cell.inputs,
            len(controller.actions),
            controller.state_size,
            controller.cell.state_size,
            state_type,
        )

    @property
    def is_bounded(self) -> bool:
        """Whether a state can be out of its bounds: every 16-bit code lies within them."""
        return self.state_type == "float32"

    @property
    def item(self) -> str:
        """C type of the state's items."""
        return "float" if self.state_type == "float32" else "int16_t"

    @property
    def suffix(self) -> str:
        """What names of the runtime's functions for such items end in."""
        return "f32" if self.state_type == "float32" else "i16"


def header(controller: Controller, interface: Interface, extra: Sequence[str] = ()) -> str:
    """The text of ``<name>.h``; ``extra`` are lines of what this arithmetic alone declares."""
    return "\n".join(_lines(controller, interface, extra)) + "\n"


def _lines(controller: Controller, interface: Interface, extra: Sequence[str]) -> Iterator[str]:
    name, upper = interface.name, interface.name.upper()
    yield from _introduction(controller, interface)
    yield f"#ifndef {upper}_H"
    yield f"#define {upper}_H"
    yield ""
    yield "#include <stdint.h>"
    yield ""
    yield "#ifdef __cplusplus"
    yield 'extern "C" {'
    yield "#endif"
    yield ""
    for key, size in (
        ("OBSERVATIONS", interface.inputs),
        ("ACTIONS", interface.actions),
        ("STATE", interface.state),
    ):
        yield f"#define {upper}_{key} {size}"
    yield f"#define {upper}_PERIOD_S {float_literal(np.float32(controller.timing.period_s))}"
    yield ""
    for key, value in STATUS.items():
        yield f"#define {upper}_{key} {value}U /* {MEANING[key]} */"
    yield f"#define {upper}_NO_ACTION {NO_ACTION}U /* any of these: the action is the fallback */"
    yield ""
    yield "/* All that a controller remembers; every context is a controller of its own. */"
    yield "typedef struct {"
    yield "    uint32_t seal;"
    yield f"    {interface.item} state[{upper}_STATE];"
    yield "    uint32_t checksum;"
    yield f"}} {name}_context;"
    yield ""
    yield "/* Check the parameters and go to the state before the first step. OK or CORRUPT_PARAMETERS. */"
    yield f"uint32_t {name}_reset({name}_context *context);"
    yield ""
    yield "/* Go on from a state that was read from a context that was reset. OK or STATE_OUT_OF_BOUNDS. */"
    yield f"uint32_t {name}_restore({name}_context *context, const {interface.item} state[{upper}_STATE]);"
    yield ""
    yield "/*"
    yield " * One step: raw sensor values in, actions within their limits out, in the units above; dt:"
    yield " * seconds since the last step. The action is never NaN. Returns status bits."
    yield " */"
    yield f"uint32_t {name}_step({name}_context *context, const float observation[{upper}_OBSERVATIONS],"
    yield f"{' ' * len(f'uint32_t {name}_step(')}float dt, float action[{upper}_ACTIONS]);"
    yield ""
    yield from extra
    yield "/* CRC-32 of the parameters against the one of the day of export. OK or CORRUPT_PARAMETERS. */"
    yield f"uint32_t {name}_check(void);"
    yield ""
    yield f"#ifndef {upper}_NO_SELFTEST"
    yield "/* Golden steps, compared to the last bit. OK, or SELFTEST_FAILED and what else went wrong. */"
    yield f"uint32_t {name}_selftest(void);"
    yield "#endif"
    yield ""
    yield "/* Controller, version of the exporter, CRC-32 of the parameters. */"
    yield f"const char *{name}_version(void);"
    yield ""
    yield "#ifdef __cplusplus"
    yield "}"
    yield "#endif"
    yield ""
    yield "#endif"


def _introduction(controller: Controller, interface: Interface) -> Iterator[str]:
    timing = controller.timing
    yield "/*"
    title = comment_text(controller.name)
    what = f"a controller in {interface.state_type}, its cell: {controller.cell.kind}"
    yield f" * {interface.name}.h: {title}, {what}."
    yield f" * Generated by ltc-edge {__version__}; do not edit."
    yield " *"
    for index, signal in enumerate(controller.observations):
        yield f" * observation[{index}]: {comment_text(signal.name)} {_unit(signal.unit)}".rstrip()
    for index, action in enumerate(controller.actions):
        line = f" * action[{index}]: {comment_text(action.name)} {_unit(action.unit)}".rstrip()
        yield f"{line}, from {action.low:g} to {action.high:g}"
    shortest, longest = timing.dt_min_s, timing.dt_max_s
    yield f" * Call every {timing.period_s:g} s; dt is kept within {shortest:g} to {longest:g} s."
    yield " *"
    yield " * Compile with -std=c99 -ffp-contract=off, at any level but -Ofast, never with -ffast-math."
    yield " */"


def _unit(unit: str) -> str:
    return f"[{comment_text(unit)}]" if unit else ""
