"""One format of a controller on an emulated processor: instructions, memory traffic, stages, an estimate of
cycles, sizes, and the errors of the very actions that were counted. No time is measured.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import EmulationError, FormatRefusedError, InputError, MissingExtraError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.c.guard import NO_ACTION
from ltc_edge.export.c.stages import STAGES
from ltc_edge.profiling.inputs import Array, Inputs, action_errors, profile_inputs
from ltc_edge.runtimes.emulated_machine import EmulatedMachine
from ltc_edge.runtimes.execution_trace import Execution
from ltc_edge.targets import Target

STEPS = 40
"""Instructions hardly vary; soft float in an emulator is slow."""


def profile_emulated(
    artifact: Artifact,
    controller: Controller,
    target: Target,
    *,
    steps: int = STEPS,
    on_share: Callable[[str, float], None],
) -> dict[str, Any]:
    """What docs/profile-format.md has of a format, for an emulated target.

    Args:
        artifact: the format.
        controller: what it was made from.
        target: what is emulated.
        steps: how many to count, from the reset on.
        on_share: told the format's name and the share of it that is done.
    """
    name = artifact.form.name
    if artifact.form.runtime != "c":
        detail = f"{name} does not run on {target.name}: formats in C do, such as c-int16"
        return _without_figures("refused", "needs-c", detail)
    try:
        machine = EmulatedMachine(artifact.c_sources(), controller, target, traced=True)
        inputs = profile_inputs(controller, steps)
        executions, actions = _run(machine, inputs, target, lambda share: on_share(name, share))
    except MissingExtraError as missing:
        return _without_figures("not-run", missing.reason, str(missing))
    except FormatRefusedError as refused:
        return _without_figures("refused", refused.reason, str(refused))
    except InputError as error:
        return _without_figures("refused", "unsupported", str(error))
    except EmulationError as error:
        return _without_figures("failed", "fault", str(error))
    found = {"status": "ok", "reason": None, "detail": None, "runtime": _runtime(machine)}
    sizes = {
        "flash_bytes": machine.flash_bytes,
        "ram_bytes": machine.ram_bytes,
        "stack_bytes": machine.stack_bytes,
    }
    counts = _counts(executions) | _cycles(executions, target)
    return found | action_errors(inputs, actions) | counts | sizes


def _runtime(machine: EmulatedMachine) -> dict[str, str]:
    return {
        "name": "unicorn",
        "version": metadata.version("unicorn"),
        "compiler": machine.compiler.version(),
        "flags": machine.flags,
    }


def _without_figures(status: str, reason: str, detail: str) -> dict[str, Any]:
    return {"status": status, "reason": reason, "detail": detail}


def _run(
    machine: EmulatedMachine, inputs: Inputs, target: Target, on_share: Callable[[float], None]
) -> tuple[list[Execution], Array]:
    """What each step executed, and the actions ``(T, M)``."""
    if status := machine.reset():
        raise EmulationError(f"{target.name}: the parameters are corrupt (status {status:#x})")
    machine.forget_stack()
    executions, actions = [], []
    for step, (observation, dt) in enumerate(zip(inputs.observation, inputs.dt_s.tolist(), strict=True)):
        status, action = machine.step(observation.astype(np.float32), dt)
        if status & NO_ACTION:
            raise EmulationError(f"{target.name}: step {step} gave no action (status {status:#x})")
        executions.append(machine.execution())
        actions.append(action.astype(np.float64))
        on_share((step + 1) / len(inputs.dt_s))
    return executions, np.stack(actions)


def _counts(executions: Sequence[Execution]) -> dict[str, Any]:
    """Medians over the steps; of stages the means, so that they add up."""
    instructions = [execution.instructions for execution in executions]
    stages: Counter[str] = Counter()
    for execution in executions:
        stages.update(execution.stages)
    total = stages.total()
    return {
        "instructions_per_step": _median(instructions),
        "instructions_least": min(instructions),
        "instructions_most": max(instructions),
        "stages": {stage: stages[stage] / total for stage in STAGES if stages[stage]} or None,
        "stage_instructions": {
            stage: round(stages[stage] / len(executions)) for stage in STAGES if stages[stage]
        }
        or None,
        "loads_per_step": _median([execution.loads for execution in executions]),
        "stores_per_step": _median([execution.stores for execution in executions]),
        "bytes_read_per_step": _median([execution.bytes_read for execution in executions]),
        "bytes_written_per_step": _median([execution.bytes_written for execution in executions]),
    }


def _cycles(executions: Sequence[Execution], target: Target) -> dict[str, Any]:
    model = target.cycles
    if model is None:
        return {"cycles_estimate": None, "cycle_model": None}
    estimates = [model.estimate(execution.classes) for execution in executions]
    return {"cycles_estimate": _median(estimates), "cycle_model": f"{model.name} ({model.source})"}


def _median(values: Sequence[int]) -> int:
    return round(statistics.median(values))
