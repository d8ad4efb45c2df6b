"""A bridge at work: a mailbox between a loop and a middleware."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ltc_edge.controller import Controller
from ltc_edge.deploy.run.bridge import Bridge
from ltc_edge.deploy.run.mailbox import Mailbox
from ltc_edge.deploy.run.urls import IoUrl, native_url, read_url


class Bridging:
    """A context manager: readings go into the mailbox, actions to the middleware.

    Attributes:
        url: the loop's ``--io``.
        handles: files that the loop inherits.
        where: what the bridge listens to.
    """

    def __init__(self, bridge: Bridge, observations: int, actions: int) -> None:
        self._bridge = bridge
        self._mailbox = Mailbox(observations, actions)
        self.url, self.handles, self.where = self._mailbox.url, self._mailbox.handles, bridge.where

    def __enter__(self) -> Bridging:
        self._mailbox.listen(self._bridge.send)
        self._bridge.start(self._mailbox.put)
        return self

    def __exit__(self, *_: object) -> None:
        # The loop has ended; its last action, at rest, must still go out.
        self._mailbox.stop()
        self._bridge.close()
        self._mailbox.close()


def open_bridge(io: str, controller: Controller, *, bind: bool) -> AbstractContextManager[Bridging | str]:
    """What connects a loop with ``--io``: a bridge, or the URL that the loop program takes itself.

    Args:
        io: as the user said it.
        controller: whose signals go over it.
        bind: whether it may listen beyond this machine.

    Raises:
        InputError: the URL is none, or cannot be used.
        MissingExtraError: what it needs is not installed.
    """
    url = read_url(io)
    observations = [signal.name for signal in controller.observations]
    actions = [signal.name for signal in controller.actions]
    made = _bridge(url, observations, actions, bind=bind)
    if made is None:
        return nullcontext(native_url(url, observations, actions))
    return Bridging(made, len(observations), len(actions))


def _bridge(url: IoUrl, observations: list[str], actions: list[str], *, bind: bool) -> Bridge | None:
    if url.scheme == "zenoh":
        from ltc_edge.deploy.run.zenoh_bridge import ZenohBridge

        return ZenohBridge(url, len(observations), bind=bind)
    if url.scheme == "dds":
        from ltc_edge.deploy.run.dds_bridge import DdsBridge

        return DdsBridge(url, len(observations))
    if url.scheme == "mavlink":
        from ltc_edge.deploy.run.mavlink_bridge import MavlinkBridge

        return MavlinkBridge(url, observations, actions, bind=bind)
    return None
