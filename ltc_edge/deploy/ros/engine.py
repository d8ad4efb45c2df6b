"""A supervised controller that is fed with messages; it knows no network, no clock and no thread."""

from __future__ import annotations

import ctypes

from ltc_edge.controller import Timing
from ltc_edge.deploy.ros.cdr import make_template
from ltc_edge.deploy.ros.entry import Stepping, entry_of
from ltc_edge.deploy.ros.example import check_path
from ltc_edge.deploy.ros.layout import find_layout
from ltc_edge.deploy.ros.mapping import Mapping
from ltc_edge.deploy.ros.relay import (
    DUE,
    NEVER,
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

SKEW_NS = 5_000_000
"""By how much a stamp may lie ahead of this machine's clock and count as now: clocks never agree quite."""

EARLY = 0.9
"""Messages may come by so much more often than the controller allows, and count as at its shortest time."""

_MODES: tuple[Mode, ...] = tuple(Mode)


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
        inputs, outputs = len(settings.observations), len(settings.actions)
        self._given = (ctypes.c_float * (1 + 2 * inputs + outputs))()
        self._given[1 : 1 + 2 * inputs] = [float("nan")] * (2 * inputs)
        self._action = (ctypes.c_float * outputs)(*settings.resting)
        self._layouts = (LayoutOfC * len(mapping.sources))()
        self._entry = entry_of(supervised, settings)
        self._relay = self._make_relay(settings, timing, by_stamp=by_stamp)
        self._address = ctypes.addressof(self._relay)

    def _make_relay(self, settings: Settings, timing: Timing, *, by_stamp: bool) -> Relay:
        """What C works with; it holds on to what it has the addresses of."""
        sources = self._mapping.sources
        source_of = [0] * len(settings.observations)
        for index, source in enumerate(sources):
            for signal in source.signals:
                source_of[signal] = index
        template = make_template(self._mapping.sink.message, self._mapping.sink.paths)
        act, self._act = outgoing(template)
        propose, self._propose = outgoing(template)
        return Relay(
            supervised=self._entry.function,
            observations=len(source_of),
            sources=len(sources),
            layouts=self._layouts,
            source_of=(ctypes.c_uint32 * len(source_of))(*source_of),
            measured_ns=(ctypes.c_int64 * len(sources))(*[NEVER] * len(sources)),
            given=self._given,
            action=self._action,
            proposal=self._entry.proposal,
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

    @property
    def mode(self) -> Mode:
        """After the last step."""
        mode: int = self._entry.mode.value
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
