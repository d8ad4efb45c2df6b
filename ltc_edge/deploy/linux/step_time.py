"""How long a step takes on the device, before a controller may run there: a short profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.deploy.linux.device_link import Device
from ltc_edge.deploy.linux.settings import PERIOD_SHARE, Checks
from ltc_edge.errors import CheckFailedError, DeviceError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.profiling.inputs import profile_inputs
from ltc_edge.profiling.jobs import job_of
from ltc_edge.profiling.linux import Bench
from ltc_edge.profiling.settings import Settings

SHORT = Settings(iterations=2000, seconds=0.4, warmup=50, rounds=2)
"""Half a second: enough to tell 10 µs from a millisecond, not to tell 10 µs from 11: that is `profile`."""


@dataclass(frozen=True)
class StepTime:
    """What was measured.

    Attributes:
        p50_us, p99_us: of a step of the controller.
        limit_us: what p99 may be.
        problems: why the device's clock or frequency is in doubt, a line each.
    """

    p50_us: float
    p99_us: float
    limit_us: float
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As docs/deploy.md says it."""
        return {
            "p50_us": self.p50_us,
            "p99_us": self.p99_us,
            "limit_us": self.limit_us,
            "problems": list(self.problems),
        }


def measure_step(
    device: Device,
    artifact: Artifact,
    controller: Controller,
    checks: Checks,
    period_s: float,
    cpu: int | None,
) -> StepTime:
    """Time a step on the device.

    Args:
        device: where.
        artifact: the controller in C.
        controller: what it was made from.
        checks: the limit.
        period_s: from one step to the next.
        cpu: on which processor; None for the last one.

    Raises:
        DeviceError: it cannot be measured there.
        CheckFailedError: it takes too long.
    """
    inputs = profile_inputs(controller)
    bench = Bench(device.link, [job_of(artifact, inputs)], inputs, replace(SHORT, cpu=cpu), lambda *_: None)
    bench.run(device.inventory)
    row: Mapping[str, Any] = bench.rows[artifact.form.name]
    if row["status"] != "ok":
        raise DeviceError(f"{device.link.name}: a step cannot be timed there: {row['detail']}")
    limit = checks.max_p99_us if checks.max_p99_us is not None else PERIOD_SHARE * period_s * 1e6
    latency = row["latency_us"]
    found = StepTime(float(latency["p50"]), float(latency["p99"]), limit, tuple(bench.problems))
    if found.p99_us > limit:
        raise CheckFailedError(
            f"{device.link.name}: a step takes {found.p99_us:.4g} µs there at p99, over {limit:.4g} µs "
            f"of a period of {period_s * 1e6:.4g} µs; what ran before runs still. Allow it by --max-p99-us, "
            "or take c-float32, fewer --unfolds or a smaller network"
        )
    return found
