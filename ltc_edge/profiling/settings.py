"""What a profile is asked for."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Settings:
    """How long, and how.

    Attributes:
        iterations: single steps to time, for each format.
        seconds: the most that these may take.
        warmup: steps before.
        rounds: in which formats take turns, so that what changes meanwhile hits all of them.
        rate_hz: of paced runs; None for none.
        paced_seconds: of each.
        fifo: priority of SCHED_FIFO in further paced runs; 0 for none.
        cpu: the processor that steps run on; where None, the last one for timed steps, any for paced runs.
        compiler_flags: for C.
    """

    iterations: int = 20_000
    seconds: float = 2.0
    warmup: int = 500
    rounds: int = 20
    rate_hz: float | None = None
    paced_seconds: float = 3.0
    fifo: int = 0
    cpu: int | None = None
    compiler_flags: tuple[str, ...] = ("-std=c99", "-O3", "-ffp-contract=off")

    @property
    def periods(self) -> int:
        """Of a paced run."""
        return max(round(self.paced_seconds * (self.rate_hz or 0.0)), 1)

    def to_json(self) -> dict[str, Any]:
        """As the profile says it."""
        return asdict(self) | {"compiler_flags": " ".join(self.compiler_flags)}
