"""The engine of many machines: each replicate is a task of a Ray cluster."""

from __future__ import annotations

import contextlib
import secrets
import time
from pathlib import Path
from typing import Any

from ltc_edge.errors import LtcEdgeError, OutputError
from ltc_edge.sweep.engines.carry_out import DO_REPLICATE
from ltc_edge.sweep.engines.engine import Lost
from ltc_edge.sweep.engines.ray_options import RayOptions, room
from ltc_edge.sweep.engines.ray_session import one_line, ray_session
from ltc_edge.sweep.engines.remote import Delivery, Driver, deliver
from ltc_edge.sweep.engines.run_archive import pack, unpack
from ltc_edge.sweep.work import Outcome, Work, outcome_file_of, run_folder_of

_LOOK_AGAIN_S = 1.0
"""How old the count of slots may be: nodes come and go."""


class RayEngine:
    """An `Engine` of Ray tasks.

    Args:
        trials: the folder of trials. Nodes that see it write there; from others runs come over the network.
        options: where the cluster is, and what a replicate takes of it.
        do: the function that does a replicate, as ``module:function``.

    Raises:
        MissingExtraError, InputError: there is no connection, see `ray_session`.
        OutputError: ``trials`` cannot be written.
    """

    def __init__(self, trials: Path, options: RayOptions | None = None, do: str = DO_REPLICATE) -> None:
        self._options = options or RayOptions()
        self._trials = trials.resolve()
        self._running: dict[Any, Work] = {}
        self._counted = (-float("inf"), 0)
        with contextlib.ExitStack() as stack:
            mark = _mark(self._trials)
            stack.callback(mark.unlink, missing_ok=True)
            self._ray = stack.enter_context(ray_session(self._options))
            self._driver = Driver(do, self._trials, mark)
            self._task = self._ray.remote(**self._options.task)(deliver)
            self._open = stack.pop_all()

    @property
    def slots(self) -> int:
        """How many replicates the nodes have room for; at least one, which a cluster may grow for."""
        if self._options.workers is not None:
            return self._options.workers
        counted_s, slots = self._counted
        if time.monotonic() - counted_s > _LOOK_AGAIN_S:
            slots = max(1, room(self._ray.nodes(), self._options.resources))
            self._counted = (time.monotonic(), slots)
        return slots

    def submit(self, work: Work) -> None:
        """Take ``work``; it waits at Ray until a node has room."""
        folder = run_folder_of(self._trials, work)
        begun = pack(folder) if folder.is_dir() else None
        task = self._task.options(name=work.name).remote(work, self._driver, begun)
        self._running[task] = work

    def wait(self, timeout_s: float | None = None) -> list[Outcome | Lost]:
        """What has ended since the last call; waits for the first, or until there are more slots to fill.

        Raises:
            LtcEdgeError: a node is not fit for the work: a version, a missing package, a full disk.
            OutputError: a run cannot be written here.
            ray.exceptions.RayTaskError: a defect, with the traceback of the worker.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        slots = self.slots
        while self._running:
            left = _LOOK_AGAIN_S if until is None else min(_LOOK_AGAIN_S, max(0.0, until - time.monotonic()))
            ended, _ = self._ray.wait(list(self._running), timeout=left)
            if ended:
                ended, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=0)
                return [self._receive(task) for task in ended]
            if self.slots > slots or (until is not None and time.monotonic() >= until):
                break
        return []

    def close(self) -> None:
        """End what is running, at once; what was started here is gone when it returns."""
        running, self._running = self._running, {}
        with self._open:
            for task in running:
                self._ray.cancel(task, force=True)

    def _receive(self, task: Any) -> Outcome | Lost:
        """What became of ``task``, which has ended; an outcome is on this disk when this returns."""
        work = self._running.pop(task)
        errors = self._ray.exceptions
        try:
            return self._keep(work, self._ray.get(task))
        except errors.RayTaskError as error:
            if isinstance(error.cause, MemoryError):
                return Lost(work, f"out of memory: {one_line(error.cause)}")
            if isinstance(error.cause, LtcEdgeError):
                raise error.cause from None
            raise
        except errors.RayError as error:
            # Of the worker, its node, or the way from there: killed, off, out of memory, unreachable.
            return Lost(work, f"{type(error).__name__}: {one_line(error)}")

    def _keep(self, work: Work, delivery: Delivery) -> Outcome:
        outcome = Outcome.from_json(delivery.outcome)
        path = outcome_file_of(self._trials, work)
        try:
            if delivery.run is not None:
                unpack(delivery.run, run_folder_of(self._trials, work))
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                outcome.write(path)
        except OSError as error:
            raise OutputError(f"{path.parent}: cannot be written ({error.strerror or error})") from None
        return outcome


def _mark(trials: Path) -> Path:
    """A new empty file in ``trials``, by which nodes tell whether they see that folder."""
    mark = trials / f".driver-{secrets.token_hex(16)}"
    try:
        trials.mkdir(parents=True, exist_ok=True)
        mark.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(f"{trials}: cannot be written ({error.strerror or error})") from None
    return mark
