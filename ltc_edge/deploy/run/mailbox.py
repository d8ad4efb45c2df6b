"""Two slots in shared memory: readings for a loop in one, its action in the other.

The other end is ``firmware_examples/linux_rt_loop/io_mailbox.c``, which is never made to wait.
"""

from __future__ import annotations

import mmap
import os
import select
import struct
import threading
import zlib
from collections.abc import Callable
from dataclasses import replace

from ltc_edge.deploy.run.datagrams import (
    Action,
    Readings,
    action_bytes,
    decode_action,
    encode_readings,
    most_readings_bytes,
)
from ltc_edge.errors import InputError

_HEAD = struct.Struct("<III")  # sequence, length, CRC; 4 more are unused
_HEAD_BYTES, _ROUND = 16, 64
_TRIES = 8
_WORD = 0xFFFFFFFF


class Mailbox:
    """A mailbox for the loop of one controller.

    Args:
        observations: of the controller.
        actions: of the controller.
    """

    def __init__(self, observations: int, actions: int) -> None:
        self._action_at = _HEAD_BYTES + _rounded(most_readings_bytes(observations, actions))
        size = self._action_at + _HEAD_BYTES + _rounded(action_bytes(actions))
        self._file = os.memfd_create("ltc-edge-mailbox")
        os.ftruncate(self._file, size)
        self._memory = mmap.mmap(self._file, size)
        self._event = os.eventfd(0, os.EFD_NONBLOCK)
        self._over, self._wake = os.pipe()
        self._lock = threading.Lock()
        self._slot = self._sequence = 0
        self._requests, self._requested_at = 0, 0
        self._listener: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The loop's ``--io``; it must inherit `handles`."""
        return f"mailbox://{self._file},{self._event}"

    @property
    def handles(self) -> tuple[int, int]:
        """The files that the loop needs."""
        return self._file, self._event

    def put(self, readings: Readings) -> None:
        """Give the loop readings; those before them, which it did not fetch, are of the past.

        Their sequence number is set here. Requests are repeated until the loop has taken them.
        """
        with self._lock:
            self._sequence = (self._sequence + 1) & _WORD
            if readings.requests:
                self._requests |= readings.requests
                self._requested_at = self._sequence
            content = encode_readings(replace(readings, sequence=self._sequence, requests=self._requests))
            self._slot = (self._slot + 2) & _WORD
            memory, crc = self._memory, zlib.crc32(content)
            memory[:_HEAD_BYTES] = _HEAD.pack(self._slot - 1, len(content), crc) + bytes(4)
            memory[_HEAD_BYTES : _HEAD_BYTES + len(content)] = content
            memory[:4] = struct.pack("<I", self._slot)

    def listen(self, on_action: Callable[[Action], None]) -> None:
        """Call ``on_action`` with each action, in a thread, until the mailbox is closed."""
        self._listener = threading.Thread(target=self._listen, args=(on_action,), daemon=True)
        self._listener.start()

    def stop(self) -> None:
        """Listen no more; an action that is there already is heard."""
        if self._listener is not None:
            os.write(self._wake, b"x")
            self._listener.join()
            self._listener = None

    def close(self) -> None:
        """Stop, and let go of the memory."""
        self.stop()
        with self._lock:
            self._memory.close()
        for handle in (self._file, self._event, self._over, self._wake):
            os.close(handle)

    def _listen(self, on_action: Callable[[Action], None]) -> None:
        while True:
            ready, _, _ = select.select([self._event, self._over], [], [])
            if self._event in ready:
                os.eventfd_read(self._event)
                action = self._action()
                if action is not None:
                    self._settle(action)
                    on_action(action)
            if self._over in ready:
                return

    def _settle(self, action: Action) -> None:
        """Repeat no request that came with readings which the loop has taken."""
        with self._lock:
            if self._requests and ((action.readings - self._requested_at) & _WORD) < 1 << 31:
                self._requests = 0

    def _action(self) -> Action | None:
        """The newest action; None where the loop is at it, and will say so again."""
        for _ in range(_TRIES):
            head = self._memory[self._action_at : self._action_at + _HEAD_BYTES]
            sequence, length, crc = _HEAD.unpack_from(head)
            start = self._action_at + _HEAD_BYTES
            content = self._memory[start : start + min(length, len(self._memory) - start)]
            if sequence % 2 == 0 and zlib.crc32(content) == crc:
                try:
                    return decode_action(content)
                except InputError:
                    return None
        return None


def _rounded(size: int) -> int:
    return -(-size // _ROUND) * _ROUND
