"""Single steps and free runs of an exported file against the reference."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.verification.tolerances import Tolerance
from ltc_edge.verification.trials import Cases, FreeRun


@dataclass(frozen=True)
class Beyond:
    """The first step whose error is beyond what is allowed.

    Attributes:
        step: its number, from 0.
        action: name of the signal.
        error, allowed: in the actuator's unit.
    """

    step: int
    action: str
    error: float
    allowed: float


@dataclass(frozen=True)
class OpenLoopResult:
    """What single steps or a free run showed.

    Attributes:
        steps: how many were compared.
        max_abs_error: in the actuators' units, the worst channel.
        rms_over_sigma: RMS error over the action's standard deviation, the worst channel; None where no
            action moved, and for single steps.
        beyond: the first step beyond its tolerance, or None.
        refused: of single steps, what was said of a state that the file did not take, which is then one of
            another controller; or None.
    """

    steps: int
    max_abs_error: float
    rms_over_sigma: float | None
    beyond: Beyond | None
    refused: str | None = None


def check_single_steps(
    controller: Controller, stepper: Stepper, cases: Cases, sigma: FloatArray, tolerance: Tolerance
) -> OpenLoopResult:
    """Compare one step from each case; the reference starts from the state as the file can hold it."""
    actions, held, refused = [], [], None
    for observation, dt, state in zip(cases.observation, cases.dt_s, cases.state, strict=True):
        try:
            stepper.restore(state)
        except InputError as error:
            refused = refused or str(error)
            stepper.reset()
        held.append(stepper.state)
        actions.append(stepper.step(observation, float(dt)))
    reference = ReferenceBatch(controller)
    reference.state = np.stack(held).astype(np.float64)
    expected = reference.step(cases.observation, cases.dt_s)
    result = _compare(controller, np.stack(actions), expected, sigma, tolerance, with_rms=False)
    return dataclasses.replace(result, refused=refused)


def check_free_run(
    controller: Controller,
    stepper: Stepper,
    run: FreeRun,
    tolerance: Tolerance,
    on_share: Callable[[float], None] = lambda _: None,
) -> OpenLoopResult:
    """Run freely from the reset state over all of ``run``."""
    stepper.reset()
    actions = np.empty_like(run.action)
    for index, (observation, dt) in enumerate(zip(run.observation, run.dt_s.tolist(), strict=True)):
        actions[index] = stepper.step(observation, dt)
        if index % 1000 == 0:
            on_share(index / len(actions))
    return _compare(controller, actions, run.action, run.sigma, tolerance, with_rms=True)


def _compare(
    controller: Controller,
    found: FloatArray,
    expected: FloatArray,
    sigma: FloatArray,
    tolerance: Tolerance,
    *,
    with_rms: bool,
) -> OpenLoopResult:
    error = np.abs(found - expected)
    allowed = tolerance.allowed(expected, sigma)
    # Not `error > allowed`: that would let a NaN pass.
    beyond = ~(error <= allowed)
    first = None
    if beyond.any():
        step, channel = (int(index) for index in np.argwhere(beyond)[0])
        first = Beyond(
            step, controller.actions[channel].name, float(error[step, channel]), float(allowed[step, channel])
        )
    rms = rms_over_sigma(error, sigma) if with_rms else None
    return OpenLoopResult(len(found), float(error.max()), rms, first)


def rms_over_sigma(error: FloatArray, sigma: FloatArray) -> float | None:
    """RMS of errors ``(T, M)`` over ``sigma`` ``(M,)``, the worst channel; None where no action moved."""
    moved = sigma > 0
    if not moved.any():
        return None
    return float((np.sqrt((error**2).mean(axis=0))[moved] / sigma[moved]).max())
