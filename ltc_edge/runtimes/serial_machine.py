"""A generated controller on a board, or an emulated one, at the end of a serial line."""

from __future__ import annotations

import secrets
import struct
import time
from dataclasses import dataclass

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import DeviceError, InputError
from ltc_edge.runtimes.machine import Float32
from ltc_edge.runtimes.serial_frames import Frame, FrameReader
from ltc_edge.runtimes.serial_lines import Line

PROTOCOL = 1
HELLO, RESET, STEP, READ_STATE, WRITE_STATE, SELFTEST, CHECK = range(1, 8)
ANSWER, REFUSAL = 0x80, 0xFF
VERSION_BYTES = 80
"""A device tells the end of a version that is longer."""

_REFUSED = {
    1: "the device was restarted, and its state is lost; start over",
    2: "the device does not know this request; flash it with the firmware of this version of ltc-edge",
    3: "the device needs a request of another size; build it with the controller of this bundle",
    4: "the device was built without its selftest; build it without SELFTEST=0",
    5: "the device's control loop is armed, and the controller is its own meanwhile; disarm it first",
}
_HELLO = struct.Struct("<IBBHHHI")
_SLOW = 10
"""A selftest of two dozen steps may take that many time-outs."""
_EAGER = 4
"""A device that is still starting hears no greeting: it is sent so many times as often."""


@dataclass(frozen=True)
class Device:
    """What a device says of itself.

    Attributes:
        item_bytes: of an item of the controller's state.
        observations, actions, state: how many there are of each.
        ticks_per_second: of its counter; 0 where it has none.
        version: of its controller.
    """

    item_bytes: int
    observations: int
    actions: int
    state: int
    ticks_per_second: int
    version: str


class SerialMachine:
    """`Machine` over a serial line, which it closes when it is closed; ``docs/serial-protocol.md``.

    A request that is not answered is sent again, and the device does not carry it out twice.

    Args:
        line: to the device.
        controller: what the device should run.
        item_bytes: of an item of its state: 4 for float32, 2 for int16.
        version: what the device's ``<name>_version`` should say; not looked at where None.
        timeout_s: how long a request waits for its answer.
        attempts: how often it is sent.

    Raises:
        DeviceError: nothing answers, or something that runs another controller.
    """

    def __init__(
        self,
        line: Line,
        controller: Controller,
        item_bytes: int,
        *,
        version: str | None = None,
        timeout_s: float = 1.0,
        attempts: int = 5,
    ) -> None:
        self.ticks = 0
        """What the last step cost, in ticks of the device's counter."""
        self.repeats = 0
        """Requests that were sent again."""
        self._line, self._timeout_s, self._attempts = line, timeout_s, attempts
        self._frames = FrameReader()
        self._sequence = secrets.randbelow(256)
        self._size = controller.state_size * item_bytes
        self._action_type = np.dtype("<f4")
        try:
            self.device = self._hello()
            self._check_fits(controller, item_bytes, version)
        except BaseException:
            line.close()
            raise

    def reset(self) -> int:
        """See `Machine.reset`."""
        return self._status(RESET)

    def step(self, observation: Float32, dt: float) -> tuple[int, Float32]:
        """See `Machine.step`; ``ticks`` then holds what it cost."""
        content = struct.pack("<f", dt) + observation.astype(self._action_type).tobytes()
        answer = self.request(STEP, content, 8 + 4 * self.device.actions)
        status, self.ticks = struct.unpack_from("<II", answer)
        return status, np.frombuffer(answer, self._action_type, offset=8).astype(np.float32)

    def read_state(self) -> bytes:
        """See `Machine.read_state`."""
        return self.request(READ_STATE, b"", self._size)

    def write_state(self, state: bytes) -> None:
        """See `Machine.write_state`."""
        if len(state) != self._size:
            raise ValueError(f"a state has {self._size} bytes, not {len(state)}")
        (status,) = struct.unpack("<I", self.request(WRITE_STATE, state, 4))
        if status:
            raise InputError(f"{self._line.name}: the state is beyond its bounds (status {status:#x})")

    def selftest(self) -> int:
        """See `Machine.selftest`.

        Raises:
            DeviceError: it was not built in, or the device does not answer.
        """
        return self._status(SELFTEST, _SLOW)

    def check(self) -> int:
        """``<name>_check``: status; 0 where the parameters have their CRC."""
        return self._status(CHECK)

    def version(self) -> str:
        """See `Machine.version`; the last `VERSION_BYTES` characters of a longer one."""
        return self.device.version

    def greet(self) -> None:
        """Begin a new session: the device then takes the next request, whatever became of the last one."""
        self.device = self._hello()

    def close(self) -> None:
        """Close the line."""
        self._line.close()

    def _hello(self) -> Device:
        # A number of its own for each session, so that no answer to an earlier one is taken for this one's.
        session = struct.pack("<I", secrets.randbits(32))
        answer = self.request(HELLO, session, patience=1 / _EAGER, attempts=_EAGER * self._attempts)
        spoken = answer[4] if len(answer) > 4 else None
        if spoken != PROTOCOL or len(answer) < _HELLO.size:
            raise self._error(
                f"the device speaks version {spoken} of the protocol, not {PROTOCOL}; flash it with the "
                "firmware of this version of ltc-edge"
            )
        _, _, item_bytes, inputs, actions, state, rate = _HELLO.unpack_from(answer)
        version = answer[_HELLO.size :].decode("ascii", errors="replace")
        return Device(item_bytes, inputs, actions, state, rate, version)

    def _check_fits(self, controller: Controller, item_bytes: int, version: str | None) -> None:
        device = self.device
        found = (device.observations, device.actions, device.state, device.item_bytes)
        inputs, actions = controller.cell.inputs, len(controller.actions)
        expected = (inputs, actions, controller.state_size, item_bytes)
        if found != expected:
            raise self._error(
                f"the device runs {device.version!r} with observations, actions, state and bytes of an item "
                f"{found}, not {expected}; build and flash this controller"
            )
        if version is not None and device.version != version[-VERSION_BYTES:]:
            raise self._error(
                f"the device runs {device.version!r}, not {version[-VERSION_BYTES:]!r}; build and flash this "
                "controller"
            )

    def _status(self, kind: int, patience: float = 1.0) -> int:
        (status,) = struct.unpack("<I", self.request(kind, b"", 4, patience=patience))
        return int(status)

    def request(
        self,
        kind: int,
        content: bytes = b"",
        size: int | None = None,
        *,
        patience: float = 1.0,
        attempts: int | None = None,
    ) -> bytes:
        """Send a request of the protocol and wait for its answer.

        Args:
            kind: which one.
            content: what goes with it.
            size: bytes that the answer's content must have; any number where None.
            patience: how long an attempt waits, in time-outs.
            attempts: how often it is sent; as often as any request where None.

        Returns:
            The content of the answer.

        Raises:
            DeviceError: the device refuses, does not answer, or answers with another size.
        """
        self._sequence = (self._sequence + 1) % 256
        sent = Frame(kind, self._sequence, content).line_bytes()
        timeout_s = self._timeout_s * patience
        tries = attempts or self._attempts
        for attempt in range(tries):
            self.repeats += attempt > 0
            self._line.write(sent, self._timeout_s)
            answer = self._answer(kind, content, time.monotonic() + timeout_s)
            if answer is None:
                continue
            if size is not None and len(answer) != size:
                raise self._error(f"an answer has {len(answer)} bytes, not {size}; flash the device anew")
            return answer
        raise self._error(
            f"no answer within {tries * timeout_s:g} s, in {tries} attempts; does the device run a firmware "
            "of firmware_examples, and at this baud rate?"
        )

    def _answer(self, kind: int, content: bytes, deadline: float) -> bytes | None:
        """The content of the answer to the last request; None where it does not come in time."""
        while (left := deadline - time.monotonic()) > 0:
            for frame in self._frames.feed(self._line.read(left)):
                if frame.sequence != self._sequence:
                    continue  # to a request that was sent again, and answered twice
                if frame.kind == kind | ANSWER and (kind != HELLO or frame.content.startswith(content)):
                    return frame.content
                # No HELLO is ever refused: that refusal is of an earlier session.
                if frame.kind == REFUSAL and kind != HELLO:
                    code = frame.content[0] if frame.content else 0
                    raise self._error(_REFUSED.get(code, f"the device refuses the request (code {code})"))
        return None

    def _error(self, detail: str) -> DeviceError:
        return DeviceError(f"{self._line.name}: {detail}")
