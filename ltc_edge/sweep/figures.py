"""The figures of an exported controller, each by what really measures it."""

from __future__ import annotations

from collections.abc import Mapping

from ltc_edge.errors import InputError
from ltc_edge.evaluation.rollout import StepperPolicy
from ltc_edge.logs import Dataset
from ltc_edge.runtimes.firmware_figures import measure_firmware
from ltc_edge.sweep.corruption_score import corruption_score
from ltc_edge.sweep.deviation import deviation
from ltc_edge.sweep.exported import Exported
from ltc_edge.sweep.latency import p99_us
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.performance import performance
from ltc_edge.sweep.stopwatch import Stopwatch
from ltc_edge.targets import find_target
from ltc_edge.verification.task_trial import Loaded


def measure_figures(
    exported: Exported, loaded: Loaded, plan: MeasurementPlan, clock: Stopwatch
) -> dict[str, float]:
    """What ``plan`` wants to know, and how well the task is done and the parameters in any case.

    Raises:
        InputError: the controller does not fit its target, or has no such figure.
        ControllerFileError: the controller gave its fallback.
        EmulationError: it faults.
        MissingExtraError: a tool is not here.
        DeviceError: a device does not answer.
    """
    stages = {OBJECTIVES[name].stage for name in plan.wanted}
    figures = {"parameters": float(exported.trained.parameters_effective())}
    with clock.stage("compile"):
        stepper = exported.stepper
    with clock.stage("evaluate"):
        figures[plan.metric.name] = performance(
            loaded, exported.trained, StepperPolicy(stepper), plan.episodes
        )
    if "compare" in stages:
        with clock.stage("error"):
            figures["error"] = deviation(exported.trained, stepper)
    if "emulate" in stages:
        with clock.stage("emulate"):
            figures |= firmware(exported, plan.target)
    if "corrupt" in stages:
        assert not isinstance(loaded, Dataset)  # a plan refuses that
        with clock.stage("corruption"):
            figures["corruption"] = corruption_score(loaded, StepperPolicy(stepper))
    if "time" in stages:
        with clock.stage("time"):
            figures["p99_us"] = p99_us(exported, plan.device)
    return figures


def firmware(exported: Exported, target: str) -> Mapping[str, float]:
    """Instructions, flash, RAM and stack of a format in C.

    Raises:
        InputError: it is not C, or does not fit the target.
        EmulationError: it faults.
        MissingExtraError: a compiler or the emulator is not here.
    """
    if not exported.is_c:
        name = exported.artifact.form.name
        raise InputError(f"{name} has no instructions on {target}: formats in C have, such as c-int16")
    found = measure_firmware(exported.artifact.c_sources(), exported.controller, find_target(target))
    return {
        "instructions": float(found.instructions[-1]),
        "flash": float(found.flash_bytes),
        "ram": float(found.ram_bytes),
        "stack": float(found.stack_bytes),
    }
