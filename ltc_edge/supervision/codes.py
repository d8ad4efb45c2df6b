"""Modes, fallback laws, requests and status bits of the supervisor: the numbers of ``ltc_supervisor.h``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

from ltc_edge.export.c.guard import STATUS as CONTROLLER_STATUS


class Mode(IntEnum):
    """What the supervisor does."""

    DISARMED = 0
    SHADOW = 1
    ACTIVE = 2
    FALLBACK = 3
    LATCHED = 4


class Fallback(IntEnum):
    """What acts where the controller may not."""

    REST = 0
    HOLD = 1
    PD = 2


class Request(IntFlag):
    """What an operator may ask for in a step; disarming comes first, then the shadow."""

    NONE = 0
    ARM = 1
    DISARM = 2
    SHADOW = 4


@dataclass(frozen=True)
class Bit:
    """A bit of a status.

    Attributes:
        value: the bit.
        meaning: what was the matter.
        remedy: what to do about it.
        fault: whether it sends an armed loop to its fallback.
        latches: whether settings may say that it latches.
    """

    value: int
    meaning: str
    remedy: str
    fault: bool = False
    latches: bool = False


STATUS: Mapping[str, Bit] = {
    "stale-input": Bit(
        0x100,
        "a reading is older than its limit, or its age is NaN or negative",
        "look at the sensor and its link; raise its age limit only if the plant is slow enough",
        fault=True,
        latches=True,
    ),
    "bad-input": Bit(
        0x200,
        "a reading or dt is not finite, or dt is negative",
        "look at the driver that gives NaN, or at the clock",
        fault=True,
        latches=True,
    ),
    "time-clamped": Bit(
        0x400,
        "dt was outside of the declared range and was brought into it",
        "call at the controller's rate, or train it on a wider range of periods",
        latches=True,
    ),
    "gap": Bit(
        0x800,
        "the controller was not stepped for longer than gap_s: it is reset",
        "find what held up the loop",
        latches=True,
    ),
    "deadlines-missed": Bit(
        0x1000,
        "more deadlines in a row were missed than are allowed",
        "give the loop a priority and a CPU of its own, or a longer period",
        fault=True,
        latches=True,
    ),
    "controller-fault": Bit(
        0x2000,
        "the controller gave no action; its own bits say why. It is reset before its next step",
        "once: a flipped bit, healed; again and again: replace the memory, load the program anew",
        fault=True,
        latches=True,
    ),
    "bad-action": Bit(
        0x4000,
        "what the controller gave is not finite",
        "look at how it was compiled, and run its selftest",
        fault=True,
        latches=True,
    ),
    "limited": Bit(0x8000, "an action met its limit here", "nothing, unless it is so all the time"),
    "slewed": Bit(0x10000, "an action was held back by its slew here", "nothing; after a fault it is usual"),
    "handing-over": Bit(0x20000, "between two laws", "wait for handover_s"),
    "hold-expired": Bit(0x40000, "the last action was held for hold_s: now to rest", "mend the fault"),
    "pd-without-input": Bit(
        0x80000, "the PD law lacks a usable reading: that action goes to rest", "mend the sensor"
    ),
    "memory-fault": Bit(
        0x100000,
        "the supervisor's own memory was changed: it started anew, latched",
        "find what writes there, then disarm and arm",
        fault=True,
    ),
    "bad-external": Bit(
        0x200000,
        "in shadow mode, somebody else's action is not finite: that action goes to rest",
        "look at who gives it",
    ),
}
"""The supervisor's own bits by name; those below 256 are the controller's, `CONTROLLER_STATUS`."""

FAULTS = sum(bit.value for bit in STATUS.values() if bit.fault)
"""``LTC_FAULTS``."""

LATCHING: Mapping[str, int] = {name: bit.value for name, bit in STATUS.items() if bit.latches} | {
    name.lower().replace("_", "-"): bit for name, bit in CONTROLLER_STATUS.items() if 0 < bit < 128
}
"""Bits that settings may let latch; a memory fault always does."""


def status_names(status: int) -> tuple[str, ...]:
    """The names of a status's bits, the controller's first: ``("dt-clamped", "time-clamped")``."""
    own = tuple(name.lower().replace("_", "-") for name, bit in CONTROLLER_STATUS.items() if status & bit)
    return own + tuple(name for name, bit in STATUS.items() if status & bit.value)
