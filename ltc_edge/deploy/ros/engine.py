"""A supervised controller that is fed with messages; it knows no network, no clock and no thread."""

from __future__ import annotations

import ctypes
from typing import Any, Protocol

from ltc_edge.controller import Timing
from ltc_edge.deploy.ros.cdr import make_template
from ltc_edge.deploy.ros.example import check_path
from ltc_edge.deploy.ros.layout import find_layout
from ltc_edge.deploy.ros.mapping import Mapping
from ltc_edge.deploy.ros.relay import (
    DUE,
    NEVER,
    SUPERVISED,
    UNKNOWN,
    LayoutOfC,
    Relay,
    known_layout,
    outgoing,
    relay_functions,
)
from ltc_edge.supervision.codes import Mode, Request
from ltc_edge.supervision.compiled import SupervisedController
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.supervisor import Input, Output

SKEW_NS = 5_000_000
"""By how much a stamp may lie ahead of this machine's clock and count as now: clocks never agree quite."""

EARLY = 0.9
"""Messages may come by so much more often than the controller allows, and count as at its shortest time."""

_MODES: tuple[Mode, ...] = tuple(Mode)


class Stepping(Protocol):
    """A supervisor and its controller, in whatever language."""

    def step(self, given: Input) -> Output:
        """One period."""


class Engine:
    """Holds the last reading of every observation, and steps.

    Args:
        supervised: what is stepped: in C, a message costs one call; anything else is called back.
        settings: of its supervisor.
        mapping: where observations and actions stand.
        timing: the controller's; its period is dt of the first step.
        by_stamp: readings are as old as their headers say, and dt is what passed between two stamps; else
            they are as old as they have been here. Where a message has no header it is always the latter.

    Attributes:
        status: bits of the last step.

    Raises:
        InputError: a field is none of its message's.
        MissingToolError: there is no C compiler.
    """

    def __init__(
        self,
        supervised: SupervisedController | Stepping,
        settings: Settings,
        mapping: Mapping,
        timing: Timing,
        *,
        by_stamp: bool = False,
    ) -> None:
        for source in mapping.sources:
            for path in source.paths:
                check_path(source.message, path)
        self.status = 0
        self._mapping = mapping
        self._requests = Request.NONE
        self._hear, self._step = relay_functions()
        inputs, outputs, sources = len(settings.observations), len(settings.actions), len(mapping.sources)
        self._given = (ctypes.c_float * (1 + 2 * inputs + outputs))()
        self._given[1 : 1 + 2 * inputs] = [float("nan")] * (2 * inputs)
        self._action = (ctypes.c_float * outputs)(*settings.resting)
        self._layouts = (LayoutOfC * sources)()
        self._measured_ns = (ctypes.c_int64 * sources)(*[NEVER] * sources)
        source_of = [0] * inputs
        for index, source in enumerate(mapping.sources):
            for signal in source.signals:
                source_of[signal] = index
        template = make_template(mapping.sink.message, mapping.sink.paths)
        act, self._act = outgoing(template)
        propose, self._propose = outgoing(template)
        self._kept: list[Any] = []  # what C has the address of
        entry, proposal, self._mode = self._entry(supervised, settings)
        self._relay = Relay(
            supervised=entry,
            observations=inputs,
            sources=sources,
            layouts=self._layouts,
            source_of=(ctypes.c_uint32 * inputs)(*source_of),
            measured_ns=self._measured_ns,
            given=self._given,
            action=self._action,
            proposal=proposal,
            act=act,
            propose=propose,
            last_ns=NEVER,
            came_ns=NEVER,
            period_ns=int(1e9 * timing.period_s),
            frequent_ns=int(1e9 * EARLY * timing.dt_min_s),
            skew_ns=SKEW_NS,
            period_s=timing.period_s,
            by_stamp=int(by_stamp),
        )
        self._address = ctypes.addressof(self._relay)

    def _entry(self, supervised: Any, settings: Settings) -> tuple[int, int, Any]:
        """Addresses of the function that steps and of the proposal, and where the mode is."""
        self._kept.append(supervised)
        outputs = len(settings.actions)
        if isinstance(supervised, SupervisedController):
            function = ctypes.cast(supervised._step, ctypes.c_void_p).value
            assert function is not None
            proposal = supervised.room.ctypes.data + 4 * 4 * outputs
            return function, proposal, ctypes.c_uint32.from_address(supervised.memory.ctypes.data)
        inputs = len(settings.observations)
        proposed = (ctypes.c_float * outputs)(*settings.resting)
        mode = ctypes.c_uint32(Mode.DISARMED)

        def call_back(given: Any, _: int, missed: int, requests: int, action: Any) -> int:
            output = supervised.step(
                Input(
                    observation=tuple(given[1 : 1 + inputs]),
                    dt_s=given[0],
                    age_s=tuple(given[1 + inputs : 1 + 2 * inputs]),
                    missed=missed,
                    requests=requests,
                )
            )
            for index in range(outputs):
                action[index] = output.action[index]
            proposed[:] = output.proposal
            mode.value = output.mode
            return int(output.status)

        called = SUPERVISED(call_back)
        self._kept += [called, proposed]
        entry = ctypes.cast(called, ctypes.c_void_p).value
        assert entry is not None
        return entry, ctypes.addressof(proposed), mode

    @property
    def mode(self) -> Mode:
        """After the last step."""
        mode: int = self._mode.value
        return _MODES[mode]

    @property
    def last_ns(self) -> int | None:
        """Time of the last step; None before the first."""
        last_ns = int(self._relay.last_ns)
        return None if last_ns == NEVER else last_ns

    @property
    def action(self) -> tuple[float, ...]:
        """Of the last step, ``(M,)``."""
        return tuple(self._action)

    def action_message(self) -> bytes:
        """The last step's actions as a message in CDR."""
        return bytes(self._act)

    def proposal_message(self) -> bytes:
        """What the controller proposed in the last step, likewise."""
        return bytes(self._propose)

    def request(self, request: Request) -> None:
        """Ask for something in the next step; what was asked for before it is void."""
        self._requests = request

    def hear(self, source: int, payload: bytes, now_ns: int) -> bool:
        """Take readings; whether the message is the occasion of a step, as one of the first topic is.

        Where they come more often than the controller allows, only those are that lie nearest to its period:
        the rule for loops of `ltc_edge.deploy.rate`.

        Args:
            source: index of the topic among the mapping's sources.
            payload: the message in CDR.
            now_ns: the time; with ``by_stamp`` since 1970.

        Raises:
            NotThisMessageError: it is no such message; the readings stay what they were, and grow old.
        """
        heard = self._hear(self._address, source, payload, len(payload), now_ns)
        if heard == UNKNOWN:
            known = self._mapping.sources[source]
            layout = find_layout(known.message.name, payload, known.paths)
            self._layouts[source] = known_layout(layout, payload, known.signals)
            heard = self._hear(self._address, source, payload, len(payload), now_ns)
        return heard == DUE

    def step(self, now_ns: int, wall_ns: int, *, heard: bool = True) -> int:
        """Step with the readings that are here; the status.

        Args:
            now_ns: the time.
            wall_ns: the time since 1970, for the header of the actions.
            heard: whether the first topic's message is the occasion; False where a timer is.
        """
        requests, self._requests = self._requests, Request.NONE
        self.status = self._step(self._address, now_ns, wall_ns, heard, requests)
        return self.status
