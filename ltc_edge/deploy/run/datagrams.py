"""Readings and actions as bytes: what goes over UDP, a serial line and a mailbox; docs/run.md.

All numbers are little-endian. The same is in C in ``firmware_examples/linux_rt_loop/datagram.c``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from ltc_edge.errors import InputError
from ltc_edge.runtimes.machine import Float32

MAGIC = 0x4543544C
VERSION = 1
READINGS, ACTION = 1, 2
ARM, DISARM, TO_SHADOW = 1, 2, 4
"""Requests to the supervisor."""
AGES, EXTERNAL, ENDS = 0x100, 0x200, 0x400

_HEADER = struct.Struct("<IBBHIIQ")  # magic, version, kind, values, sequence, flags, timestamp
_ANSWER = struct.Struct("<III")  # readings, status, mode
_FLOAT = np.dtype("<f4")
_WORD = 0xFFFFFFFF


@dataclass(frozen=True)
class Readings:
    """What a plant says.

    Attributes:
        observation: ``(I,)``, in the controller's units.
        sequence: 32 bits; one more for each. What is not newer than the last is refused.
        timestamp: 64 bits of the sender's own; they come back with the action.
        age_s: ``(I,)``, how old each signal is when it is sent, NaN for one that is not known; None: all
            are measured now.
        external: ``(M,)``, what acts in shadow mode; None: the resting action.
        requests: `ARM`, `DISARM`, `TO_SHADOW`.
        ends: no more will come.
    """

    observation: Float32
    sequence: int
    timestamp: int = 0
    age_s: Float32 | None = None
    external: Float32 | None = None
    requests: int = 0
    ends: bool = False


@dataclass(frozen=True)
class Action:
    """What the loop answers.

    Attributes:
        sequence: 32 bits; one more for each.
        timestamp: of the readings that were taken last.
        readings: their sequence number.
        status: the supervisor's and the controller's bits.
        mode: of the supervisor, 0 to 4.
        action: ``(M,)``: what acts.
        proposal: ``(M,)``: what the controller wants, in shadow mode too.
    """

    sequence: int
    timestamp: int
    readings: int
    status: int
    mode: int
    action: Float32
    proposal: Float32


def encode_readings(readings: Readings) -> bytes:
    """The datagram."""
    flags, parts = readings.requests, [readings.observation]
    if readings.age_s is not None:
        flags |= AGES
        parts.append(readings.age_s)
    if readings.external is not None:
        flags |= EXTERNAL
        parts.append(readings.external)
    flags |= ENDS if readings.ends else 0
    header = _HEADER.pack(
        MAGIC,
        VERSION,
        READINGS,
        len(readings.observation),
        readings.sequence & _WORD,
        flags,
        readings.timestamp,
    )
    return header + b"".join(np.asarray(part, dtype=_FLOAT).tobytes() for part in parts)


def decode_readings(datagram: bytes, observations: int) -> Readings:
    """The readings in a datagram.

    Raises:
        InputError: it is none of this version and for so many observations.
    """
    if len(datagram) < _HEADER.size:
        raise InputError(f"{len(datagram)} bytes are too few for readings")
    magic, version, kind, count, sequence, flags, timestamp = _HEADER.unpack_from(datagram)
    known = ARM | DISARM | TO_SHADOW | AGES | EXTERNAL | ENDS
    if (magic, version, kind, count) != (MAGIC, VERSION, READINGS, observations) or flags & ~known:
        raise InputError(f"a datagram is no readings of {observations} signals, version {VERSION}")
    if (len(datagram) - _HEADER.size) % _FLOAT.itemsize:
        raise InputError(f"{len(datagram)} bytes are no readings")
    values = np.frombuffer(datagram, _FLOAT, offset=_HEADER.size).astype(np.float32)
    after = observations * (2 if flags & AGES else 1)
    if len(values) < after or (len(values) > after) != bool(flags & EXTERNAL):
        raise InputError(f"{len(datagram)} bytes are no readings of {observations} signals")
    return Readings(
        observation=values[:observations],
        sequence=sequence,
        timestamp=timestamp,
        age_s=values[observations:after] if flags & AGES else None,
        external=values[after:] if flags & EXTERNAL else None,
        requests=flags & (ARM | DISARM | TO_SHADOW),
        ends=bool(flags & ENDS),
    )


def encode_action(action: Action) -> bytes:
    """The datagram."""
    sequence = action.sequence & _WORD
    header = _HEADER.pack(MAGIC, VERSION, ACTION, len(action.action), sequence, 0, action.timestamp)
    answer = _ANSWER.pack(action.readings, action.status, action.mode)
    values = (np.asarray(part, dtype=_FLOAT).tobytes() for part in (action.action, action.proposal))
    return header + answer + b"".join(values)


def decode_action(datagram: bytes) -> Action:
    """The action in a datagram.

    Raises:
        InputError: it is no action of this version.
    """
    if len(datagram) < _HEADER.size + _ANSWER.size:
        raise InputError(f"{len(datagram)} bytes are too few for an action")
    magic, version, kind, count, sequence, _, timestamp = _HEADER.unpack_from(datagram)
    if (magic, version, kind) != (MAGIC, VERSION, ACTION):
        raise InputError(f"a datagram is no action (magic {magic:#x}, version {version}, kind {kind})")
    start = _HEADER.size + _ANSWER.size
    if len(datagram) != start + 2 * count * _FLOAT.itemsize:
        raise InputError(f"{len(datagram)} bytes are no action of {count} values")
    readings, status, mode = _ANSWER.unpack_from(datagram, _HEADER.size)
    values = np.frombuffer(datagram, _FLOAT, offset=start).astype(np.float32)
    return Action(sequence, timestamp, readings, status, mode, values[:count], values[count:])


def action_bytes(actions: int) -> int:
    """Length of the datagram of an action."""
    return _HEADER.size + _ANSWER.size + 2 * actions * _FLOAT.itemsize


def most_readings_bytes(observations: int, actions: int) -> int:
    """Length of the longest datagram of readings."""
    return _HEADER.size + _FLOAT.itemsize * (2 * observations + actions)
