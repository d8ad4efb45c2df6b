"""Steps at the rate of a control loop: how late they begin, how long they take, how many are missed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.profiling.agent_link import AgentLink, RemoteError
from ltc_edge.profiling.runner import NotRunError, Runner, samples_of
from ltc_edge.profiling.samples import histogram, summarise
from ltc_edge.profiling.settings import Settings

SUFFIX = " paced"
WARMUP = 200


def paced_runs(
    link: AgentLink,
    runner: Runner,
    settings: Settings,
    step_us: float,
    into: list[dict[str, Any]],
    on_share: Callable[[str, float], None],
) -> None:
    """Run a format at a rate, idle and under load, as any process and then as a real-time one if asked for.

    Args:
        link: to the agent.
        runner: the format.
        settings: ``rate_hz`` of it must be given.
        step_us: what a step takes.
        into: where each run is put as soon as it is done; see docs/profile-format.md.
        on_share: told what is done.

    Raises:
        DeviceError: the device is gone.
    """
    kinds: list[tuple[int, int | None]] = [(0, None)]
    if settings.fifo or settings.cpu is not None:
        kinds.append((settings.fifo, settings.cpu))
    runs = [(load, *kind) for load in ("idle", "busy") for kind in kinds]
    for index, (load, fifo, cpu) in enumerate(runs):
        on_share(f"{runner.job.name} paced", index / len(runs))
        into.append(_one(link, runner, settings, step_us, load, fifo, cpu))


def _one(
    link: AgentLink,
    runner: Runner,
    settings: Settings,
    step_us: float,
    load: str,
    fifo: int,
    cpu: int | None,
) -> dict[str, Any]:
    assert settings.rate_hz is not None
    period_ns, periods = round(1e9 / settings.rate_hz), settings.periods
    lock = fifo > 0
    found: dict[str, Any] = {
        "load": load,
        "scheduling": f"fifo:{fifo}" if fifo else "other",
        "cpu": cpu,
        "memory_locked": lock,
        "rate_hz": settings.rate_hz,
    }
    if step_us > period_ns / 1e3:
        detail = f"a step takes {step_us:,.4g} µs, longer than the period; none would be kept"
        return found | {"status": "refused", "detail": detail}
    try:
        runner.start(SUFFIX)
        try:
            runner.ask("realtime", suffix=SUFFIX, fifo=fifo, cpu=cpu, lock=lock)
            limit = 1_000_000_000
            runner.ask("singles", 1.0, SUFFIX, steps=WARMUP, limit_ns=limit, empty=False)
            link.request({"request": "busy", "on": load == "busy"})
            _, block = runner.ask(
                "paced", settings.paced_seconds, SUFFIX, period_ns=period_ns, periods=periods
            )
        except (NotRunError, RemoteError):
            _end(link, runner)
            raise
        # Not where the user interrupts: while the device is busy it answers nothing, and ends with the link.
        _end(link, runner)
    except NotRunError as error:
        return found | {"status": error.status, "detail": str(error)}
    except RemoteError as error:
        return found | {"status": "failed" if error.kind == "failed" else "refused", "detail": str(error)}
    late, took = samples_of(block, "<u4").reshape(2, -1) / 1e3
    return found | {"status": "ok"} | timeliness(late, took, period_ns / 1e3)


def _end(link: AgentLink, runner: Runner) -> None:
    """End the load and the process."""
    try:
        link.request({"request": "busy", "on": False})
    finally:
        runner.stop(SUFFIX)


def timeliness(
    late_us: npt.NDArray[np.float64], took_us: npt.NDArray[np.float64], period_us: float
) -> dict[str, Any]:
    """Figures of a paced run.

    Args:
        late_us: how late each step began, ``(n,)``.
        took_us: how long it took, ``(n,)``.
        period_us: a step that ends later than this after it was due has missed its period.
    """
    missed = late_us + took_us > period_us
    return {
        "periods": len(late_us),
        "wakeup_us": summarise(late_us),
        "wakeup_histogram": histogram(late_us),
        "execution_us": summarise(took_us),
        "misses": int(missed.sum()),
        "longest_run_of_misses": longest_run(missed),
    }


def longest_run(missed: npt.NDArray[np.bool_]) -> int:
    """The most that come one after the other."""
    ends = np.flatnonzero(np.diff(np.concatenate([[False], missed, [False]]).astype(np.int8)))
    return int((ends[1::2] - ends[::2]).max()) if len(ends) else 0
