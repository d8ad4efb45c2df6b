"""What a sweep asks of whatever carries out its work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ltc_edge.sweep.work import Outcome, Work


@dataclass(frozen=True)
class Lost:
    """Whoever did a piece of work is gone: killed, out of memory, switched off.

    Attributes:
        work: what is to be done again.
        reason: what is known, in one line.
    """

    work: Work
    reason: str


class Engine(Protocol):
    """Carries out work, in any order.

    An engine knows nothing of trials, samplers or storage. A replicate that fails by its own fault comes
    back as an `Outcome` that says so; only what was lost with its worker comes back as `Lost`, and whether
    it is worth another try is not the engine's to say.
    """

    @property
    def slots(self) -> int:
        """How many pieces of work it can do at once, now: nodes may come and go."""

    def submit(self, work: Work) -> None:
        """Take ``work``; it may wait here until there is a slot."""

    def wait(self, timeout_s: float | None = None) -> list[Outcome | Lost]:
        """What has ended since the last call; waits for the first.

        An outcome that is returned lies in the folder of trials, with its run: it is durable.

        Args:
            timeout_s: seconds after which it returns with nothing; None to wait as long as it takes.
        """

    def close(self) -> None:
        """End what is running, at once, and give everything back. May be called twice."""
