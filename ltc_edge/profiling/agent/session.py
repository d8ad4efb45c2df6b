"""The agent: takes files, runs them, answers, and leaves nothing behind.

It ends, with all that it started, and removes its folder when it is told to, when the stream of requests
ends, when nothing came for `SILENCE_S` (whoever it works for says something every few seconds), and on
SIGTERM, SIGHUP and SIGINT.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import queue
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import IO, Any

from . import frames
from .building import TIMEOUT_S, build_command
from .device_state import describe_device, read_state
from .inventory import inventory
from .load import BusyLoad, LoadFailed
from .processes import ProcessError, Program, Tool, Worker

SILENCE_S = 30.0
ANSWER_S = 60.0
"""How long a process has for an answer, where the request does not say."""
INSTALL_S = 1800.0
TOOL = " tool"
"""Name of the tool that runs; no format is called so."""


class RequestError(Exception):
    """A request that makes no sense, or a file that is not what it should be."""


class Session:
    """What one connection has on the device.

    Args:
        folder: of its files.
        package: the zip that the agent is in.
    """

    def __init__(self, folder: Path, package: Path) -> None:
        self._folder, self._package = folder, package
        self._digests: dict[str, str] = {}
        self._running: dict[str, Worker | Program | Tool] = {}
        self._load: BusyLoad | None = None
        self._paths: list[str] = []
        self._lock = threading.Lock()
        self._closed = False
        self._requests: dict[str, Callable[[dict[str, Any], bytes], frames.Message]] = {
            "inventory": self._inventory,
            "device": lambda _, __: (describe_device(), b""),
            "state": lambda request, _: (read_state(cpu=request["cpu"]), b""),
            "file": self._file,
            "build": self._build,
            "make": self._make,
            "start": self._start,
            "ask": self._ask,
            "stop": self._stop,
            "busy": self._busy,
            "install": self._install,
            **_more_requests(),
        }

    def carry_out(self, request: dict[str, Any], block: bytes) -> frames.Message:
        """The answer to a request.

        Raises:
            RequestError: it makes no sense, or a file is not what it should be.
            ProcessError: what it needs cannot be had, or broke.
        """
        try:
            handler = self._requests[request["request"]]
        except KeyError:
            raise RequestError(f"no such request: {request.get('request')!r}") from None
        return handler(request, block)

    def close(self) -> None:
        """End everything and remove the folder; from any thread, and more than once."""
        with self._lock:
            self._closed = True
            for running in self._running.values():
                running.process.end()
            self._running.clear()
            if self._load is not None:
                self._load.__exit__(None, None, None)
                self._load = None
            shutil.rmtree(self._folder, ignore_errors=True)

    def _inventory(self, request: dict[str, Any], _: bytes) -> frames.Message:
        self._paths = [str(Path(path).expanduser()) for path in request["paths"]]
        return inventory(self._folder, self._paths), b""

    def _file(self, request: dict[str, Any], block: bytes) -> frames.Message:
        """Keep a file, under its plain name, if it came as it was sent."""
        path = self._path(request["name"])
        digest = hashlib.sha256(block).hexdigest()
        if digest != request["sha256"]:
            raise RequestError(f"{path.name} did not arrive as it was sent")
        try:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(block)
        except OSError as error:
            raise RequestError(
                f"{path}: cannot be written ({error.strerror}); name another place with --remote-dir"
            ) from None
        self._digests[request["name"]] = digest
        return {}, b""

    def _path(self, name: str) -> Path:
        """Where a file lies: in the folder, or in one folder in it."""
        parts = name.split("/")
        if len(parts) > 2 or any(part in ("", ".", "..") or "\0" in part for part in parts):
            raise RequestError(f"{name!r} is no name of a file here")
        return self._folder.joinpath(*parts)

    def _checked(self, name: str) -> Path:
        """A file that is what was sent: nothing else is run or read.

        Raises:
            RequestError: it is not.
        """
        path = self._path(name)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise RequestError(f"{name}: cannot be read ({error.strerror})") from None
        if digest != self._digests.get(name):
            raise RequestError(f"{name}: was changed on the device; it is not run")
        return path

    def _build(self, request: dict[str, Any], _: bytes) -> frames.Message:
        sources = [self._checked(name) for name in request["sources"]]
        output = self._path(request["output"])
        command = build_command(request["command"], request["flags"], sources, output)
        self._use_tool(command, output.parent, TIMEOUT_S)
        self._digests[request["output"]] = hashlib.sha256(output.read_bytes()).hexdigest()
        return {"bytes": output.stat().st_size}, b""

    def _make(self, request: dict[str, Any], _: bytes) -> frames.Message:
        """Run make over what was sent; the file that comes of it."""
        for name in self._digests:
            self._checked(name)
        self._use_tool(request["command"], self._folder, TIMEOUT_S)
        return {}, self._path(request["output"]).read_bytes()

    def _start(self, request: dict[str, Any], _: bytes) -> frames.Message:
        """Start a worker or a program, and what it says of its start."""
        for name in request["files"]:
            self._checked(name)
        self._stop(request, b"")
        running: Worker | Program
        if "program" in request:
            path = self._checked(request["program"])
            path.chmod(0o700)
            running = Program(path, self._checked(request["feed"]))
        else:
            running = Worker(self._package, request["document"], self._path(request["folder"]), self._paths)
        self._register(request["name"], running)
        try:
            with running.process.due(request.get("within_s", ANSWER_S)):
                return running.begin(), b""
        except ProcessError:
            self._stop(request, b"")
            raise

    def _register(self, name: str, running: Worker | Program | Tool) -> None:
        """Make a process known before it is waited for: a session that ends meanwhile ends it too."""
        with self._lock:
            if self._closed:
                running.process.end()
                raise RequestError("the session is over")
            self._running[name] = running

    def _ask(self, request: dict[str, Any], _: bytes) -> frames.Message:
        try:
            running = self._running[request["name"]]
        except KeyError:
            raise RequestError(f"nothing runs by the name {request['name']!r}") from None
        if isinstance(running, Tool):
            raise RequestError("a tool answers nothing")
        with running.process.due(request.get("within_s", ANSWER_S)):
            document, block = running.ask(request["ask"])
        return document | {"rss_bytes": running.process.memory_bytes()}, block

    def _stop(self, request: dict[str, Any], _: bytes) -> frames.Message:
        with self._lock:
            running = self._running.pop(request["name"], None)
        if running is not None:
            running.process.end()
        return {}, b""

    def _busy(self, request: dict[str, Any], _: bytes) -> frames.Message:
        """Begin or end generated load."""
        if self._load is not None:
            load, self._load = self._load, None
            try:
                load.check()
            except LoadFailed as error:
                raise ProcessError("failed", str(error)) from None
            finally:
                load.__exit__(None, None, None)
        if not request["on"]:
            return {}, b""
        load = BusyLoad(self._folder)
        try:
            load.__enter__()
        except LoadFailed as error:
            raise ProcessError("refused", str(error)) from None
        self._load = load
        return {"load": load.describe()}, b""

    def _install(self, request: dict[str, Any], _: bytes) -> frames.Message:
        """Install packages into a folder of the user's, which stays."""
        target = str(Path(request["folder"]).expanduser())
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", target]
        self._use_tool([*command, *request["packages"]], self._folder, INSTALL_S)
        return {}, b""

    def _use_tool(self, command: list[str], folder: Path, within_s: float) -> None:
        """Run a tool to its end, which comes with that of the session at the latest."""
        tool = Tool(command, folder)
        self._register(TOOL, tool)
        try:
            tool.finish(within_s)
        finally:
            self._stop({"name": TOOL}, b"")


def _more_requests() -> dict[str, Callable[[dict[str, Any], bytes], frames.Message]]:
    """Those of the package that came with the agent, where one did."""
    if importlib.util.find_spec(f"{__package__}.more") is None:
        return {}
    found: dict[str, Callable[[dict[str, Any], bytes], frames.Message]]
    found = importlib.import_module(f"{__package__}.more.requests").requests()
    return found


def serve(requests: IO[bytes], answers: IO[bytes], folder: Path, package: Path) -> None:
    """Answer requests until they end; then nothing of the session is left."""
    session = Session(folder, package)
    sent = _Answers(answers)
    inbox: queue.Queue[frames.Message | None] = queue.Queue()
    heard = [time.monotonic()]

    def end(_: int, __: FrameType | None) -> None:
        # In a thread: the one that is interrupted may be starting a process that nobody knows of yet.
        threading.Thread(target=_finish, args=(inbox, session), daemon=True).start()

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, end)
    threading.Thread(target=_listen, args=(requests, sent, inbox, heard, session), daemon=True).start()
    threading.Thread(target=_watch, args=(heard, session), daemon=True).start()
    try:
        while (message := inbox.get()) is not None:
            request, block = message
            sent.write(*_answer(session, request, block))
    except BrokenPipeError:
        pass
    finally:
        session.close()
    with contextlib.suppress(OSError, ValueError):
        sent.write({"bye": True})


def _answer(session: Session, request: dict[str, Any], block: bytes) -> frames.Message:
    number = request.get("number")
    try:
        document, found = session.carry_out(request, block)
        return {"number": number, **document}, found
    except ProcessError as error:
        return {"number": number, "error": error.kind, "detail": str(error)}, b""
    except (RequestError, OSError, KeyError, TypeError, ValueError) as error:
        return {"number": number, "error": "request", "detail": f"{error}"}, b""


class _Answers:
    """The stream of answers, which two threads write to."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._lock = stream, threading.Lock()

    def write(self, document: dict[str, Any], block: bytes = b"") -> None:
        """Send one."""
        with self._lock:
            frames.write(self._stream, document, block)


def _listen(
    requests: IO[bytes],
    answers: _Answers,
    inbox: queue.Queue[frames.Message | None],
    heard: list[float],
    session: Session,
) -> None:
    """Read ahead, so that the end of the stream is seen, and a ping answered, while something runs."""
    message: frames.Message | None
    while True:
        try:
            message = frames.read(requests)
        except (frames.FrameError, OSError, ValueError):
            message = None
        heard[0] = time.monotonic()
        if message is not None and message[0].get("request") == "ping":
            with contextlib.suppress(OSError, ValueError):
                answers.write({"pong": True})
            continue
        if message is None:
            _finish(inbox, session)
            return
        inbox.put(message)


def _watch(heard: list[float], session: Session) -> None:
    while time.monotonic() - heard[0] < SILENCE_S:
        time.sleep(1.0)
    session.close()
    # Whoever read our answers is gone; a write to them may never return.
    os._exit(1)


def _finish(inbox: queue.Queue[frames.Message | None], session: Session) -> None:
    """End the session from another thread; what the main thread waits for ends with it."""
    session.close()
    inbox.put(None)
