"""A node: messages in, a step for each, actions out; a timer for the time when no messages come."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

from ltc_edge.deploy.ros.engine import Engine
from ltc_edge.deploy.ros.layout import NotThisMessageError
from ltc_edge.deploy.ros.mapping import Mapping as SignalMapping
from ltc_edge.deploy.ros.middleware import Middleware
from ltc_edge.deploy.ros.parameters import ParameterServices
from ltc_edge.deploy.ros.quality import COMMAND, LATCHED, PARAMETERS, SENSOR_DATA, Quality
from ltc_edge.deploy.ros.texts import STRING, message_text, text_message
from ltc_edge.supervision.codes import Mode, Request, status_names
from ltc_edge.supervision.settings import Settings

REQUESTS = {"arm": Request.ARM, "disarm": Request.DISARM, "shadow": Request.SHADOW}
"""What a node does when it is told so on its topic ``request``."""

STATUS_S = 1.0
LONGEST_END_S = 5.0
"""For so long a node brings its actions to rest, within their slew, before it ends."""


class Witness(Protocol):
    """Somebody who keeps what a node heard and said; called after the action went out."""

    def heard(self, source: int, payload: bytes) -> None:
        """A message came."""

    def said(self, payload: bytes) -> None:
        """An action went out."""


@dataclass
class Counts:
    """What became of a node's messages and steps.

    Attributes:
        steps: of the supervisor.
        actions, proposals: that were published.
        rejected: messages that were none, or lacked a field.
        unprompted: steps since no message came.
        between: messages of the first topic that were no occasion of a step.
        last_rejection: why the last message was rejected.
    """

    steps: int = 0
    actions: int = 0
    proposals: int = 0
    rejected: int = 0
    unprompted: int = 0
    between: int = 0
    last_rejection: str | None = None


@dataclass(frozen=True)
class NodeSettings:
    """How a node runs.

    Attributes:
        name: its name.
        period_s: of the controller; without messages a step is made so often.
        timer_s: a step is made so often, whatever comes; None: one with each message of the first topic.
        request: what is asked for at the start.
        parameters: what the node tells of its controller.
        by_stamp: see `Engine`; the clock is then the system's.
    """

    name: str
    period_s: float
    timer_s: float | None
    request: Request
    parameters: Mapping[str, Any]
    by_stamp: bool = False


class ControllerNode:
    """A supervised controller among others' topics.

    Args:
        engine: what is stepped.
        mapping: its topics.
        supervisor: settings of its supervisor.
        middleware: what carries the topics; the node closes it.
        settings: how it runs.
        witnesses: who keeps what happens.
    """

    def __init__(
        self,
        engine: Engine,
        mapping: SignalMapping,
        supervisor: Settings,
        middleware: Middleware,
        settings: NodeSettings,
        witnesses: tuple[Witness, ...] = (),
    ) -> None:
        self.counts = Counts()
        self._engine, self._settings, self._witnesses = engine, settings, witnesses
        self._supervisor = supervisor
        self._middleware = middleware
        self._clock_ns = time.time_ns if settings.by_stamp else time.monotonic_ns
        oldest_s = min(supervisor.oldest_s[signal] for signal in mapping.sources[0].signals)
        self._silence_ns = int(1e9 * max(oldest_s, settings.period_s))
        self._turn = threading.Lock()
        self._stop = threading.Event()
        self._closed = False
        self._was_armed = False
        self._unprompted = False  # whether no message was the occasion of the last step
        self._began_ns = self._clock_ns()
        engine.request(settings.request)
        own = f"/{settings.name}"
        self._act = middleware.publisher(mapping.sink.topic, mapping.sink.message, COMMAND)
        self._propose = middleware.publisher(f"{own}/proposal", mapping.sink.message, COMMAND)
        self._tell = middleware.publisher(f"{own}/status", STRING, Quality(depth=1))
        middleware.publisher(f"{own}/parameters", STRING, LATCHED)(
            text_message(json.dumps(dict(settings.parameters), allow_nan=False))
        )
        for name, service, answer in ParameterServices(settings.parameters).services(own):
            middleware.serve(name, service, PARAMETERS, answer)
        middleware.subscribe(f"{own}/request", STRING, Quality(), self._on_request)
        for index, source in enumerate(mapping.sources):
            middleware.subscribe(source.topic, source.message, SENSOR_DATA, partial(self._on_message, index))

    @property
    def mode(self) -> Mode:
        """After the last step."""
        return self._engine.mode

    def stop(self) -> None:
        """Let `run` end."""
        self._stop.set()

    def run(self, duration_s: float | None = None) -> None:
        """Keep the time until `stop` is called or the duration has passed; then bring actions to rest."""
        period_s = self._settings.timer_s or self._settings.period_s
        begin = due = time.monotonic()
        told_at, told_mode = -1e9, self.mode
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            if duration_s is not None and now - begin >= duration_s:
                break
            self._tick()
            if now - told_at >= STATUS_S or self.mode is not told_mode:
                told_at, told_mode = now, self.mode
                self._tell(text_message(json.dumps(self.status(), allow_nan=False)))
            due = max(due + period_s, now)
        self.close()

    def close(self) -> None:
        """Bring actions to rest if they are this node's, and leave."""
        with self._turn:
            if self._closed:
                return
            self._engine.request(Request.DISARM)
            begin = time.monotonic()
            while self._is_acting() and not self._is_at_rest() and time.monotonic() - begin < LONGEST_END_S:
                self._step(self._clock_ns(), heard=False)
                time.sleep(self._settings.period_s)
            self._closed = True
        self._middleware.close()

    def status(self) -> dict[str, Any]:
        """Mode, bits of the last step, and what became of messages."""
        bits = list(status_names(self._engine.status))
        return {"mode": self.mode.name.lower(), "status": bits, **asdict(self.counts)}

    def _is_acting(self) -> bool:
        return self._was_armed and self.mode is not Mode.SHADOW

    def _is_at_rest(self) -> bool:
        return self.mode is Mode.DISARMED and self._engine.action == self._supervisor.resting

    def _on_message(self, source: int, payload: bytes) -> None:
        now_ns = self._clock_ns()
        with self._turn:
            if self._closed:
                return
            try:
                due = self._engine.hear(source, payload, now_ns)
            except NotThisMessageError as error:
                self.counts.rejected += 1
                self.counts.last_rejection = str(error)
            else:
                if due and self._settings.timer_s is None:
                    self._step(now_ns, heard=True)
                elif source == 0:
                    self.counts.between += 1
            for witness in self._witnesses:
                witness.heard(source, payload)

    def _on_request(self, payload: bytes) -> None:
        try:
            said = message_text(payload).strip().lower()
        except NotThisMessageError as error:
            said = str(error)
        with self._turn:
            if said in REQUESTS:
                self._engine.request(REQUESTS[said])
            else:
                self.counts.rejected += 1
                self.counts.last_rejection = f"request {said[:40]!r}: none of {', '.join(REQUESTS)}"

    def _tick(self) -> None:
        """A step by the timer: one that is due anyway, or since nothing came for too long."""
        with self._turn:
            now_ns = self._clock_ns()
            if self._settings.timer_s is None:
                last_ns = self._engine.last_ns or self._began_ns
                if not self._unprompted and now_ns - last_ns < self._silence_ns:
                    return
                self.counts.unprompted += 1
            self._step(now_ns, heard=False)

    def _step(self, now_ns: int, *, heard: bool) -> None:
        engine = self._engine
        engine.step(now_ns, time.time_ns(), heard=heard)
        self._unprompted = not heard
        self.counts.steps += 1
        mode = engine.mode
        if mode is Mode.SHADOW:
            self._propose(engine.proposal_message())
            self.counts.proposals += 1
        elif self._was_armed or mode is not Mode.DISARMED:
            self._was_armed = True
            payload = engine.action_message()
            self._act(payload)
            self.counts.actions += 1
            for witness in self._witnesses:
                witness.said(payload)
