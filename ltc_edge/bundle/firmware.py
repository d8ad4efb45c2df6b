"""What the formats in C of a bundle take of processors, where these can be emulated."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError, MissingExtraError
from ltc_edge.export.artifacts import Artifact, Refusal
from ltc_edge.targets import Target, find_target
from ltc_edge.verification.report import FormatReport

MEASURED = ("cortex-m0plus", "cortex-m4", "riscv32")
"""Those with and without FPU and division; `tools/bench_c.py` measures all."""

STEPS = 5
"""Instructions hardly vary; soft float in an emulator is slow."""


def with_firmware(
    reports: Mapping[str, FormatReport], made: Sequence[Artifact | Refusal], controller: Controller
) -> dict[str, FormatReport]:
    """The reports, those of formats in C with flash, RAM, stack and instructions by target."""
    measured = dict(reports)
    artifacts = [item for item in made if isinstance(item, Artifact) and item.form.runtime == "c"]
    # Most of it is waiting for compilers, so that several at a time take as long as the slowest.
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        waiting = {
            item.form.name: {
                name: workers.submit(_figures, item, controller, find_target(name)) for name in MEASURED
            }
            for item in artifacts
        }
        for form, targets in waiting.items():
            found = {name: figures.result() for name, figures in targets.items()}
            measured[form] = dataclasses.replace(reports[form], firmware=found)
    return measured


def _figures(artifact: Artifact, controller: Controller, target: Target) -> dict[str, Any]:
    """The figures, or why there are none: a compiler or emulator that is not here, a part too small."""
    from ltc_edge.runtimes.firmware_figures import measure_firmware

    try:
        sources = artifact.c_sources()
        return measure_firmware(sources, controller, target, steps=STEPS).to_json()
    except MissingExtraError as missing:
        return {"status": "not-measured", "reason": missing.reason, "detail": str(missing)}
    except InputError as refused:
        return {"status": "refused", "reason": "too-large", "detail": str(refused)}
