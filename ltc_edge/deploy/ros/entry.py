"""How C steps a supervised controller: at its own address, or by calling back into Python."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Protocol

from ltc_edge.deploy.ros.relay import SUPERVISED
from ltc_edge.supervision.codes import Mode
from ltc_edge.supervision.compiled import SupervisedController
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.supervisor import Input, Output


class Stepping(Protocol):
    """A supervisor and its controller, in whatever language."""

    def step(self, given: Input) -> Output:
        """One period."""


@dataclass(frozen=True)
class Entry:
    """What C calls.

    Attributes:
        function: address of a `SUPERVISED`.
        proposal: address of what the controller proposed, ``(M,)`` float32.
        mode: the supervisor's, after the last step.
        kept: what must live as long as these addresses are used.
    """

    function: int
    proposal: int
    mode: ctypes.c_uint32
    kept: tuple[Any, ...]


def entry_of(supervised: SupervisedController | Stepping, settings: Settings) -> Entry:
    """The entry of a controller in C, or one that calls a method in Python.

    Args:
        supervised: what is stepped.
        settings: of its supervisor.
    """
    if not isinstance(supervised, SupervisedController):
        return _calling_back(supervised, settings)
    there = supervised.addresses
    return Entry(there.step, there.proposal, ctypes.c_uint32.from_address(there.mode), (supervised,))


def _calling_back(supervised: Stepping, settings: Settings) -> Entry:
    inputs, outputs = len(settings.observations), len(settings.actions)
    proposed = (ctypes.c_float * outputs)(*settings.resting)
    mode = ctypes.c_uint32(Mode.DISARMED)

    def step(given: Any, _: int, missed: int, requests: int, action: Any) -> int:
        readings, ages = given[1 : 1 + inputs], given[1 + inputs : 1 + 2 * inputs]
        output = supervised.step(
            Input(tuple(readings), given[0], tuple(ages), missed=missed, requests=requests)
        )
        for index in range(outputs):
            action[index] = output.action[index]
        proposed[:] = list(output.proposal)
        mode.value = output.mode
        return int(output.status)

    called = SUPERVISED(step)
    function = ctypes.cast(called, ctypes.c_void_p).value
    assert function is not None
    return Entry(function, ctypes.addressof(proposed), mode, (supervised, called, proposed))
