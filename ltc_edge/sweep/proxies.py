"""Figures that need no compiler, no emulator and no runtime: estimates to search with.

    return      of the float64 controller, on fewer episodes
    error       of integers the simulation of the quantisation plan, of float32 the network in float32
    costs       from what a step computes, see `ltc_edge.sweep.cost_model`

A sweep by proxies measures its candidates for real at the end.
"""

from __future__ import annotations

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.integer_rollout import IntegerRollout
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.quantize import QuantizedStep
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.sweep.cost_model import estimated_costs, refuse_unmodelled
from ltc_edge.sweep.deviation import exact_actions, network_actions
from ltc_edge.sweep.exported import Exported
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.performance import performance
from ltc_edge.sweep.stopwatch import Stopwatch
from ltc_edge.verification.open_loop import rms_over_sigma
from ltc_edge.verification.task_trial import Loaded
from ltc_edge.verification.trials import free_inputs, free_sigma

EPISODES = 8
"""Of a closed loop, at most."""

STEPS = 1000
"""Of the free run over which the error is taken: the beginning of verification's."""

SIMULATED = ("onnx-int16", "tflite-int16x8", "tflite-int16x8-legacy", "c-int16")
"""Integer formats that the simulation of the plan stands for: 8-bit weights, 16 bits for the rest."""

_ESTIMATED = frozenset(("count", "evaluate", "compare", "emulate"))
"""Stages whose figures have a proxy."""


def check_proxies(plan: MeasurementPlan, form: str, cell: str) -> None:
    """Refuse a figure that ``plan`` wants and that has no proxy.

    Args:
        plan: what will be estimated.
        form, cell: of the controllers.

    Raises:
        InputError: there is one.
    """
    stages = {OBJECTIVES[name].stage: name for name in sorted(plan.wanted)}
    for stage, name in stages.items():
        if stage not in _ESTIMATED:
            raise InputError(f"{name} has no proxy; leave it out, or measure it without --proxy")
    if "compare" in stages and FORMATS[form].arithmetic == "integer" and form not in SIMULATED:
        raise InputError(f"the error of {form} has no proxy; leave it out, or measure it without --proxy")
    if "emulate" in stages:
        refuse_unmodelled(form, cell, plan.target)


def proxy_figures(
    exported: Exported, loaded: Loaded, plan: MeasurementPlan, clock: Stopwatch
) -> dict[str, float]:
    """What ``plan`` wants to know, estimated; see `ltc_edge.sweep.figures.measure_figures`.

    Raises:
        InputError: the controller does not fit its task, or there is no estimate of such a figure.
        TaskError: the plant misbehaves.
    """
    stages = {OBJECTIVES[name].stage for name in plan.wanted}
    figures = {"parameters": float(exported.trained.parameters_effective())}
    with clock.stage("evaluate"):
        episodes = min(plan.episodes, EPISODES)
        policy = ReferenceBatch(exported.trained)
        figures[plan.metric.name] = performance(loaded, exported.trained, policy, episodes)
    if "compare" in stages:
        with clock.stage("error"):
            figures["error"] = estimated_error(exported)
    if "emulate" in stages:
        with clock.stage("emulate"):
            figures |= estimated_costs(exported, plan.target)
    return figures


def estimated_error(exported: Exported) -> float:
    """RMS error over the action's standard deviation, in the beginning of verification's free run."""
    trained = exported.trained
    observation, dt_s = free_inputs(trained)
    observation, dt_s = observation[:STEPS], dt_s[:STEPS]
    expected = exact_actions(trained, observation, dt_s)
    found = _rounded_actions(exported, observation, dt_s)
    return rms_over_sigma(found - expected, free_sigma(trained, expected)) or 0.0


def _rounded_actions(exported: Exported, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
    if exported.plan is None:
        return network_actions(exported.trained, observation, dt_s, np.float32)
    controller = exported.controller
    step = _quantized(controller, exported.plan)
    action, state = IntegerRollout(controller, step).run(observation[None], dt_s[None])
    if controller.is_slew_limited:  # the state ends with the action that was allowed
        action = np.clip(state[..., controller.cell.state_size :], *controller.limits)
    simulated: FloatArray = action[0]
    return simulated


def _quantized(controller: Controller, plan: QuantizationPlan) -> QuantizedStep:
    program = lower_unit(controller, plan.coordinates)
    return QuantizedStep(plan.coordinates, program, plan.tensors, plan.dense)
