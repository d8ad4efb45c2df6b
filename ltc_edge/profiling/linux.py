"""Profiling on a machine with Linux that the agent runs on: formats take turns, so that all of them meet
whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ltc_edge.errors import DeviceError, InputError
from ltc_edge.profiling.agent.device_state import notes, power_between, problems
from ltc_edge.profiling.agent_link import AgentLink, RemoteError
from ltc_edge.profiling.inputs import Inputs, action_errors
from ltc_edge.profiling.jobs import BEFORE, CJob, Job, ModelJob
from ltc_edge.profiling.paced import paced_runs
from ltc_edge.profiling.runner import NotRunError, Runner, samples_of
from ltc_edge.profiling.samples import histogram, summarise
from ltc_edge.profiling.settings import Settings

BATCHES = 15
"""Of a round, for each format; the median counts."""
BATCH_NS = 600_000
"""About how long a batch should last: far beyond the clock's resolution, and below the time slice after which
another process may have its turn, so that most batches have the processor to themselves."""
FEWEST_BATCHES, MOST_STEPS = 3, 1_000_000
SLOWEST_NS = 500_000_000
"""A round of a slower one takes half a minute."""

INTERRUPTED = {"status": "not-run", "reason": "interrupted", "detail": "the profile ended before it"}
"""A format's row until it was measured."""

OnShare = Callable[[str, float], None]


class Bench:
    """Formats on one device, and what was found of each so far.

    Args:
        link: to the agent.
        jobs: the formats.
        inputs: what they are fed with; None for models of somebody else's.
        settings: how long, and how.
        on_share: told what is done, as a share of it.
        check_device: told what the device is before anything is measured; may refuse it.

    Attributes:
        rows: of each format what docs/profile-format.md says.
        device: what it is, and its state before and after.
        problems: why the figures cannot be trusted, a line each.
    """

    def __init__(
        self,
        link: AgentLink,
        jobs: Sequence[Job],
        inputs: Inputs | None,
        settings: Settings,
        on_share: OnShare,
        check_device: Callable[[Mapping[str, Any]], None] = lambda _: None,
    ) -> None:
        self._link, self._jobs, self._inputs = link, jobs, inputs
        self._settings, self._on_share, self._check_device = settings, on_share, check_device
        self.rows: dict[str, dict[str, Any]] = {job.name: dict(INTERRUPTED) for job in jobs}
        self.device: dict[str, Any] = {}
        self.problems: list[str] = []
        self._runners: dict[str, Runner] = {}
        self._samples: dict[str, _Samples] = {}
        self._cpu: int | None = settings.cpu

    def run(self, inventory: Mapping[str, Any]) -> None:
        """Measure everything.

        Raises:
            InputError: the device has no such processor.
            DeviceError: the device is gone; what was measured is in the attributes.
        """
        self._choose_cpu(inventory["cpus"])
        self.device = {**self._request("device"), "inventory": dict(inventory)}
        self._check_device(self.device)
        self._prepare(inventory)
        for name, runner in list(self._runners.items()):
            self._attempt(name, partial(self._start, runner))
        before = self.device["before"] = self._request("state", cpu=self._cpu)
        try:
            self._take_turns()
        finally:
            # What was measured until the device vanished is kept.
            for name in self._runners:
                self._fill_row(name)
        self._look_again(before)
        for name, runner in list(self._runners.items()):
            self._attempt(name, partial(self._finish, runner))
        if self._settings.rate_hz is not None:
            # Paced runs under load heat a device more than anything before them.
            self._look_again(self.device["after"])

    def _choose_cpu(self, cpus: Sequence[int]) -> None:
        """The processor for timed steps: the last one, which interrupts meet least, where none is named."""
        if self._cpu is None:
            self._cpu = max(cpus, default=None)
        elif cpus and self._cpu not in cpus:
            there = ", ".join(map(str, cpus))
            raise InputError(f"{self._link.name}: has no processor {self._cpu}; choose --cpu from {there}")

    def _look_again(self, before: Mapping[str, Any]) -> None:
        """The state after what was measured since ``before``, and what that says of the figures."""
        after = self.device["after"] = self._request("state", cpu=self._cpu)
        self.device.setdefault("power_w", power_between(before, after))
        self.device["notes"] = notes(self.device["before"], after)
        self.problems = list(dict.fromkeys([*self.problems, *problems(before, after)]))

    def _prepare(self, inventory: Mapping[str, Any]) -> None:
        for index, job in enumerate(self._jobs):
            self._on_share("sent and built", index / len(self._jobs))
            try:
                self._runners[job.name] = Runner(self._link, job, inventory, self._settings.compiler_flags)
            except NotRunError as error:
                self._give_up(job.name, error)

    def _attempt(self, name: str, action: Callable[[], None]) -> None:
        """Do something with a format; where that breaks, the others go on."""
        try:
            action()
        except NotRunError as error:
            self._give_up(name, error)

    def _give_up(self, name: str, error: NotRunError) -> None:
        self._runners.pop(name, None)
        job = next(job for job in self._jobs if job.name == name)
        found = {"status": error.status, "reason": error.reason, "detail": str(error)}
        self.rows[name] = found | {"bytes": job.size}

    def _start(self, runner: Runner) -> None:
        """Start cold, compare its actions with the reference, and find out how many steps make a batch."""
        runner.start()
        row: dict[str, Any] = {"bytes": runner.job.size, **_start_figures(runner.start_times)}
        runner.ask("realtime", fifo=0, cpu=self._cpu, lock=False)
        # An earlier controller has actions of its own.
        if self._inputs is not None and not runner.job.name.endswith(BEFORE):
            answer, block = runner.ask("actions", steps=len(self._inputs.observation))
            actions = runner.job.decode(block, answer.get("dtype", "float32"))
            assert actions is not None
            row |= action_errors(self._inputs, actions)
        limit = round(self._settings.seconds * 1e9)
        _, block = runner.ask("singles", steps=max(self._settings.warmup, 1), limit_ns=limit, empty=False)
        step_ns = max(float(np.median(samples_of(block, "<u4"))), 1.0)
        if step_ns > SLOWEST_NS:
            detail = f"a step takes {step_ns / 1e9:.2g} s; no controller is as slow, and it is not timed"
            raise NotRunError("refused", "unsupported", detail)
        samples = self._samples[runner.job.name] = _Samples()
        samples.batch_steps = int(np.clip(BATCH_NS / step_ns, 1, MOST_STEPS))
        # Of slow steps fewer batches, or they would take minutes.
        samples.batches_wanted = int(np.clip(BATCHES * BATCH_NS / step_ns, FEWEST_BATCHES, BATCHES))
        _, block = runner.ask("singles", steps=2000, limit_ns=limit, empty=True)
        samples.clock_us = float(np.median(samples_of(block, "<u4"))) / 1e3
        # It counts as measured once it was timed.
        self.rows[runner.job.name] |= row | {"runtime": runner.runtime}

    def _take_turns(self) -> None:
        rounds = self._settings.rounds
        for index in range(rounds):
            # Each way round in turn: what comes first in a round must not always be the same one.
            order = list(self._runners.items())[:: 1 if index % 2 == 0 else -1]
            self._on_share("timed", index / rounds)
            # Part by part: what is compared with its neighbour is timed a few milliseconds after it.
            for part in (self._time_singles, self._time_batches, self._time_invokes):
                for name, runner in order:
                    if name in self._runners:
                        self._attempt(name, partial(part, runner))

    def _time_singles(self, runner: Runner) -> None:
        settings, samples = self._settings, self._samples[runner.job.name]
        steps = -(-settings.iterations // settings.rounds)
        limit = round(settings.seconds / settings.rounds * 1e9)
        usage, block = runner.ask("singles", settings.seconds, steps=steps, limit_ns=limit, empty=False)
        samples.singles.append(samples_of(block, "<u4") / 1e3)
        for key in samples.usage:
            samples.usage[key] += int(usage[key])

    def _time_batches(self, runner: Runner) -> None:
        samples = self._samples[runner.job.name]
        _, block = runner.ask("batches", 1.0, count=samples.batches_wanted, steps=samples.batch_steps)
        samples.batches.append(samples_of(block, "<i8", 4))

    def _time_invokes(self, runner: Runner) -> None:
        samples = self._samples[runner.job.name]
        if isinstance(runner.job, ModelJob):
            _, block = runner.ask("invoke", 1.0, count=samples.batches_wanted, steps=samples.batch_steps)
            if block:
                samples.invokes.append(samples_of(block, "<i8", 4))

    def _fill_row(self, name: str) -> None:
        samples, row = self._samples[name], self.rows[name]
        if samples.batches:
            row |= samples.figures() | {"rss_bytes": self._runners[name].rss_bytes}
            row |= {"status": "ok", "reason": None, "detail": None}

    def _finish(self, runner: Runner) -> None:
        """What is measured with a process of its own."""
        row = self.rows[runner.job.name]
        if isinstance(runner.job, CJob):
            row["program_bytes"] = runner.program_bytes
            try:
                row["stages"] = runner.stages(self._cpu)
            except NotRunError as error:
                # A second build, which says nothing of the first: its figures stay.
                row["detail"] = f"which part of a step takes how long is not known: {error}"
        runner.stop()
        if self._settings.rate_hz is not None:
            row["paced"] = []
            paced_runs(self._link, runner, self._settings, row["step_us"], row["paced"], self._on_share)

    def _request(self, request: str, **said: Any) -> dict[str, Any]:
        found, _ = self._link.request({"request": request, **said})
        found.pop("number", None)
        return found


class _Samples:
    """What was timed of one format."""

    def __init__(self) -> None:
        self.batch_steps, self.batches_wanted = 1, BATCHES
        self.clock_us = 0.0
        self.singles: list[Any] = []
        self.batches: list[Any] = []
        self.invokes: list[Any] = []
        self.usage = {"interruptions": 0, "cpu_ns": 0, "wall_ns": 0}

    def figures(self) -> dict[str, Any]:
        """As docs/profile-format.md has them."""
        single = np.maximum(np.concatenate(self.singles) - self.clock_us, 0.0)
        rounds = [_steps_us(found, self.batch_steps) for found in self.batches]
        empty = np.median(np.concatenate([found[:, 3] for found in self.batches])) / self.batch_steps / 1e3
        step = float(np.median(rounds))
        return {
            "latency_us": summarise(single),
            "histogram": histogram(single),
            "step_us": step,
            "steps_per_second": 1e6 / step if step > 0 else None,
            "clock_us": self.clock_us,
            "loop_us": float(empty),
            "rounds_us": rounds,
            "yardsticks_us": [(np.median(found[:, :2], axis=0) / 1e3).tolist() for found in self.batches],
            "invoke_us": float(np.median([_steps_us(f, self.batch_steps) for f in self.invokes]))
            if self.invokes
            else None,
            "interruptions": self.usage["interruptions"],
            "cpu_percent": 100 * self.usage["cpu_ns"] / max(self.usage["wall_ns"], 1),
            "paced": [],
        }


def _steps_us(found: Any, steps: int) -> float:
    """Microseconds a step, of batches ``(n, 4)``: the empty loop is taken off."""
    return float(np.median(found[:, 2] - found[:, 3])) / steps / 1e3


def _start_figures(times: Mapping[str, int]) -> dict[str, Any]:
    """From the start of the process to its first action."""
    imported = times.get("imported_ns", times["entered_ns"])
    return {
        "cold_start_ms": (times["first_ns"] - times["spawned_ns"]) / 1e6,
        "load_ms": (times["loaded_ns"] - imported) / 1e6,
        "first_step_us": (times["first_ns"] - times["loaded_ns"]) / 1e3,
    }


def connect(link: AgentLink, paths: Sequence[str]) -> dict[str, Any]:
    """What is there to run controllers.

    Raises:
        DeviceError: it is no Linux machine.
    """
    try:
        inventory, _ = link.request({"request": "inventory", "paths": list(paths)})
    except RemoteError as error:
        raise DeviceError(f"{link.name}: {error}") from None
    inventory.pop("number", None)
    if inventory.get("system") != "Linux":
        raise DeviceError(f"{link.name}: runs {inventory.get('system')}, and only Linux is profiled")
    return inventory
