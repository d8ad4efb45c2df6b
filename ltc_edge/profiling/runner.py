"""One format on a device that has the agent: sent, made ready, started, and asked for samples."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import DeviceError, InputError, MissingExtraError
from ltc_edge.profiling.agent_link import AgentLink, RemoteError
from ltc_edge.profiling.jobs import PACKAGES, CJob, Job, ModelJob
from ltc_edge.profiling.sampled_stages import DEFINE, shares, staged_source
from ltc_edge.profiling.sampled_stages import request as stages_request
from ltc_edge.profiling.static_program import static_program

BUILD_S, SEND_S = 400.0, 120.0
SLACK_S = 45.0
"""How much longer a format may take than what it tells of; the agent ends it then."""
LINK_S = 30.0
"""How much longer the agent's answer may take."""


class NotRunError(Exception):
    """A format that cannot run on a device.

    Attributes:
        status, reason: as the profile says them.
    """

    def __init__(self, status: str, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.reason = status, reason


class Runner:
    """A format on a device; what it needs is sent and built when this is made.

    Args:
        link: to the agent.
        job: what to send.
        inventory: what the agent says that is there.
        flags: what C is compiled with.

    Attributes:
        runtime: what runs it, as the profile says it.
        start_times: of the last start, in nanoseconds of the device's clock.

    Raises:
        NotRunError: it cannot run there.
        DeviceError: the device is gone.
    """

    def __init__(self, link: AgentLink, job: Job, inventory: Mapping[str, Any], flags: Sequence[str]) -> None:
        self.job, self.runtime = job, dict[str, Any]()
        self.start_times: dict[str, int] = {}
        self.rss_bytes: int | None = None
        self.program_bytes: int | None = None
        self._link, self._inventory, self._flags = link, inventory, tuple(flags)
        self._has_stages = False
        try:
            if isinstance(job, CJob):
                self._prepare_c(job)
            else:
                self._prepare_model(job)
        except RemoteError as error:
            raise _not_run(error) from None

    def _prepare_model(self, job: ModelJob) -> None:
        here = self._inventory["packages"]
        packages = PACKAGES[job.runtime]
        if not any(here.get(package) for package in (*packages,)):
            raise NotRunError(
                "not-run",
                "needs-extra",
                f"{' or '.join(packages)} is not installed there; --install does, or --python names another",
            )
        if not here.get("numpy"):
            raise NotRunError("not-run", "needs-extra", "numpy is not installed there; --install does")
        self._send(job.files)
        document = json.dumps(dict(job.document))
        self._start_request = {"document": document, "folder": job.name, "files": self._named(job.files)}

    def _prepare_c(self, job: CJob) -> None:
        sources = {**job.sources.files, **job.harness}
        self.program_bytes = self._program("program", sources, self._flags)
        self._send({"feed.bin": job.feed})
        self._start_request = self._program_request("program")
        staged = staged_source(job.sources.files[f"{job.sources.name}.c"])
        self._has_stages = staged is not None
        if staged is not None:
            self._program("stages", {**sources, f"{job.sources.name}.c": staged}, (*self._flags, DEFINE))

    def _program_request(self, program: str) -> dict[str, Any]:
        path, feed = f"{self.job.name}/{program}", f"{self.job.name}/feed.bin"
        return {"program": path, "feed": feed, "files": [path, feed]}

    def _program(self, name: str, sources: Mapping[str, bytes], flags: tuple[str, ...]) -> int:
        """Make a program there, or send one that is made here; its size."""
        compiler = self._inventory["compiler"]
        if compiler is None:
            content, version = self._cross_compiled(sources, flags)
            self._send({name: content})
            self.runtime = self._c_runtime("C, a static program", version)
            return len(content)
        self._send(sources)
        request = {"command": compiler["command"], "flags": flags, "output": f"{self.job.name}/{name}"}
        built, _ = self._link.request(
            {"request": "build", "sources": sorted(self._named(sources)), **request}, timeout_s=BUILD_S
        )
        self.runtime = self._c_runtime("C, compiled there", compiler["version"])
        return int(built["bytes"])

    def _c_runtime(self, name: str, compiler: str) -> dict[str, Any]:
        return {"name": name, "version": compiler, "compiler": compiler, "flags": " ".join(self._flags)}

    def _cross_compiled(self, sources: Mapping[str, bytes], flags: tuple[str, ...]) -> tuple[bytes, str]:
        try:
            return static_program(self._inventory["machine"], sources, flags)
        except MissingExtraError as missing:
            raise NotRunError("not-run", missing.reason, str(missing)) from None
        except InputError as error:
            raise NotRunError("refused", "unsupported", str(error)) from None

    def stages(self, cpu: int | None) -> dict[str, float] | None:
        """Share of the time in each part of a step in C; None where it cannot be told."""
        if not self._has_stages:
            return None
        suffix = " stages"
        self.start(suffix, self._program_request("stages"))
        try:
            self.ask("realtime", suffix=suffix, fifo=0, cpu=cpu, lock=False)
            _, block = self.ask("stages", 2.0, suffix, **stages_request())
        finally:
            self.stop(suffix)
        return shares(block)

    def _send(self, files: Mapping[str, bytes]) -> None:
        for name, content in files.items():
            sha256 = hashlib.sha256(content).hexdigest()
            request = {"request": "file", "name": f"{self.job.name}/{name}", "sha256": sha256}
            self._link.request(request, content, timeout_s=SEND_S)

    def _named(self, files: Mapping[str, bytes]) -> list[str]:
        return [f"{self.job.name}/{name}" for name in files]

    def start(self, suffix: str = "", what: Mapping[str, Any] | None = None) -> None:
        """A fresh process, of ``what`` in the place of the format's own; see `ask` for ``suffix``."""
        name = self.job.name + suffix
        try:
            request = {"request": "start", "name": name, "within_s": SLACK_S, **(what or self._start_request)}
            times, _ = self._link.request(request, timeout_s=SLACK_S + LINK_S)
        except RemoteError as error:
            raise _not_run(error) from None
        if what is None:
            self.start_times = times
        if isinstance(self.job, ModelJob):
            self.runtime = {"name": self.job.runtime, "version": str(times["version"])}

    def stop(self, suffix: str = "") -> None:
        """End a process of this format's."""
        self._link.request({"request": "stop", "name": self.job.name + suffix})

    def ask(
        self, do: str, seconds: float = 0.0, suffix: str = "", **said: Any
    ) -> tuple[dict[str, Any], bytes]:
        """What a process of this format's answers.

        Args:
            do: the request, ``said`` with what belongs to it.
            seconds: how long it should take.
            suffix: tells processes of one format apart.

        Raises:
            NotRunError: it was refused, or the process broke.
            DeviceError: the device is gone.
        """
        within_s = seconds + SLACK_S
        request = {"request": "ask", "name": self.job.name + suffix, "within_s": within_s}
        try:
            answer, block = self._link.request(
                {**request, "ask": {"do": do, **said}}, timeout_s=within_s + LINK_S
            )
        except RemoteError as error:
            raise _not_run(error) from None
        resident = answer.get("rss_bytes")
        self.rss_bytes = None if resident is None else int(resident)
        return answer, block


def samples_of(block: bytes, dtype: str, columns: int = 1) -> npt.NDArray[Any]:
    """Samples that a device sent, ``(n,)``, or ``(n, columns)``.

    Raises:
        DeviceError: what it sent is none.
    """
    if not block or len(block) % (np.dtype(dtype).itemsize * columns):
        raise DeviceError(
            f"an answer of its agent makes no sense: {len(block)} bytes in the place of samples"
        )
    samples = np.frombuffer(block, dtype)
    return samples if columns == 1 else samples.reshape(-1, columns)


def _not_run(error: RemoteError) -> NotRunError:
    status = "failed" if error.kind == "failed" else "refused"
    return NotRunError(status, "broke" if status == "failed" else "unsupported", str(error))
