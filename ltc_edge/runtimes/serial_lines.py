"""Lines of bytes to a device: a serial port, a network port, or the pipes of an emulator."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import time
import weakref
from collections.abc import Sequence
from typing import Any, Protocol

from ltc_edge.errors import DeviceError, require

_CHUNK = 4096
_POLL_S = 0.02
_ENDS_WITHIN_S = 5.0


class Line(Protocol):
    """Bytes both ways.

    Attributes:
        name: what messages call it.
    """

    name: str

    def read(self, timeout_s: float) -> bytes:
        """What came, as soon as something did; empty where nothing came within ``timeout_s``.

        Raises:
            DeviceError: the other end is gone.
        """
        ...

    def write(self, data: bytes, timeout_s: float) -> None:
        """Send ``data``.

        Raises:
            DeviceError: the other end is gone, or takes nothing for ``timeout_s``.
        """
        ...

    def close(self) -> None:
        """Let go of the line."""
        ...


class PipeLine:
    """Two file descriptors, which it does not close: those of pipes, a pseudo-terminal or a socket."""

    def __init__(self, incoming: int, outgoing: int, name: str) -> None:
        self.name = name
        self._incoming, self._outgoing = incoming, outgoing

    def read(self, timeout_s: float) -> bytes:
        """See `Line.read`."""
        if not select.select([self._incoming], [], [], max(timeout_s, 0.0))[0]:
            return b""
        try:
            data = os.read(self._incoming, _CHUNK)
        except OSError as error:
            raise self._gone(error.strerror) from None
        if not data:
            raise self._gone("end of its output")
        return data

    def write(self, data: bytes, timeout_s: float) -> None:
        """See `Line.write`."""
        deadline = time.monotonic() + timeout_s
        while data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([], [self._outgoing], [], left)[1]:
                raise DeviceError(f"{self.name}: the device takes no bytes for {timeout_s:g} s")
            try:
                # As much as a pipe that is ready takes without waiting.
                sent = os.write(self._outgoing, data[: select.PIPE_BUF])
            except OSError as error:
                raise self._gone(error.strerror) from None
            data = data[sent:]

    def close(self) -> None:
        """Nothing to do: whoever opened the descriptors closes them."""

    def _gone(self, detail: str | None) -> DeviceError:
        return DeviceError(f"{self.name}: the device is gone ({detail})")


class ProcessLine:
    """Standard input and output of a process that it starts, and kills when it is closed.

    Args:
        command: what to run, such as ``qemu-system-arm … -serial stdio``.

    Raises:
        DeviceError: it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.name = command[0]
        # A file, since nobody would empty a pipe.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed with the line
        pipe = subprocess.PIPE
        try:
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._errors, bufsize=0)
        except OSError as error:
            self._errors.close()
            raise DeviceError(f"{self.name} cannot be started ({error.strerror})") from None
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._pipes = PipeLine(process.stdout.fileno(), process.stdin.fileno(), self.name)
        # Also where it is forgotten, or the interpreter ends.
        self._end = weakref.finalize(self, _end, process)

    def read(self, timeout_s: float) -> bytes:
        """See `Line.read`."""
        try:
            return self._pipes.read(timeout_s)
        except DeviceError:
            raise self._ended() from None

    def write(self, data: bytes, timeout_s: float) -> None:
        """See `Line.write`."""
        try:
            self._pipes.write(data, timeout_s)
        except DeviceError as error:
            raise (error if self._process.poll() is None else self._ended()) from None

    def close(self) -> None:
        """Kill the process."""
        self._end()
        self._errors.close()

    def _ended(self) -> DeviceError:
        try:
            code: Any = self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            return DeviceError(f"{self.name}: it closed its output")
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()
        return DeviceError(f"{self.name} ended with code {code}" + (f": {said[-1][:200]}" if said else ""))


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


class PortLine:
    """A serial port of this machine (``/dev/ttyACM0``) or a URL of pyserial's (``socket://host:port``).

    Args:
        port: name or URL.
        baud: bits a second; 8 data bits, no parity, one stop bit.

    Raises:
        DeviceError: it cannot be opened.
        MissingExtraError: pyserial is not installed.
    """

    def __init__(self, port: str, baud: int = 115200) -> None:
        self.name = port
        serial = require("serial", "firmware")
        self._errors = (serial.SerialException, OSError)
        try:
            self._port: Any = serial.serial_for_url(port, baudrate=baud, timeout=_POLL_S, exclusive=True)
        except (*self._errors, ValueError) as error:
            raise DeviceError(f"{port}: the port cannot be opened ({_reason(error)})") from None

    def read(self, timeout_s: float) -> bytes:
        """See `Line.read`."""
        deadline = time.monotonic() + timeout_s
        try:
            while not (data := self._port.read(1)) and time.monotonic() < deadline:
                pass
            waiting = self._port.in_waiting if data else 0
            return bytes(data + self._port.read(waiting)) if waiting else bytes(data)
        except self._errors as error:
            raise DeviceError(f"{self.name}: the device is gone ({_reason(error)})") from None

    def write(self, data: bytes, timeout_s: float) -> None:
        """See `Line.write`."""
        try:
            if self._port.write_timeout != timeout_s:  # setting it configures the port anew
                self._port.write_timeout = timeout_s
            self._port.write(data)
        except self._errors as error:
            raise DeviceError(f"{self.name}: the device takes no bytes ({_reason(error)})") from None

    def close(self) -> None:
        """Close the port."""
        self._port.close()


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split())[:200]
