"""What brings readings from a middleware to a loop, and its actions there: one protocol, one file each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ltc_edge.deploy.run.datagrams import Action, Readings

Deliver = Callable[[Readings], None]
"""Takes readings, from any thread; their sequence number does not matter."""


class Bridge(Protocol):
    """A middleware, as a loop needs it.

    Attributes:
        where: what it listens to and where, for people to read.
    """

    where: str

    def start(self, deliver: Deliver) -> None:
        """Deliver readings from now on; what is none is dropped."""
        ...

    def send(self, action: Action) -> None:
        """Give an action; called by one thread at a time, once a period."""
        ...

    def close(self) -> None:
        """Deliver and send no more."""
        ...
