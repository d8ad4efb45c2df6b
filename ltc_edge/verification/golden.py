"""Golden vectors: inputs and what must come out, for other machines and other implementations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import BundleError
from ltc_edge.export.calibration import Sequences, excitation, unit_steps
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.program import ACTION, DT, OBSERVATION, STATE_IN, STATE_OUT
from ltc_edge.export.simulate import codes16, simulate16
from ltc_edge.runtimes.reference import ReferenceBatch

STEPS = 200
SEED = 20_061
FLOAT32_ERROR = 1e-5
"""Golden actions are those of the controller as trained; a bundle holds it in float32."""

CODES_ERROR = 1.0
"""Where a product lies between two codes, another machine may round the other way."""


def golden_vectors(
    trained: Controller, controller: Controller, plan: QuantizationPlan | None
) -> dict[str, FloatArray]:
    """Inputs and outputs of the first steps after a reset.

    Args:
        trained: the truth.
        controller: the same as the hub holds it; the plan is of this one: rounding may pair synapses
            otherwise.
        plan: for the integers.

    Returns:
        ``observation`` ``(T, I)``, ``dt_s`` ``(T,)``, ``action`` ``(T, M)`` and ``state`` ``(T, S)`` of the
        float64 reference; and with a plan the 16-bit codes ``int16.observation``, ``int16.dt``,
        ``int16.action``, ``int16.state`` of the plan's arithmetic, the state fed back as it is.
    """
    inputs = excitation(trained, sequences=1, steps=STEPS, seed=SEED)
    reference = ReferenceBatch(trained)
    reference.reset(1)
    actions, states = [], []
    for observation, dt in zip(inputs.observation[0], inputs.dt_s[0], strict=True):
        actions.append(reference.step(observation[None], np.array([dt]))[0])
        states.append(reference.state[0].copy())
    vectors: dict[str, FloatArray] = {
        "observation": inputs.observation[0],
        "dt_s": inputs.dt_s[0],
        "action": np.stack(actions),
        "state": np.stack(states),
    }
    return vectors if plan is None else vectors | _integer_vectors(controller, plan, inputs)


def _integer_vectors(
    controller: Controller, plan: QuantizationPlan, inputs: Sequences
) -> dict[str, FloatArray]:
    program = lower_unit(controller, plan.coordinates)
    batch = simulate16(program, plan.tensors, plan.dense)
    steps = unit_steps(controller, plan.coordinates, inputs)
    state = plan.coordinates.state.to_fraction(controller.reset_state)[None]
    names = {
        "int16.observation": OBSERVATION,
        "int16.dt": DT,
        "int16.action": program.outputs[ACTION],
        "int16.state": program.outputs[STATE_OUT],
    }
    rows: dict[str, list[Any]] = {key: [] for key in names}
    for observation, dt in zip(steps.observation, steps.dt, strict=True):
        tensors = batch.tensors(observation, dt, state)
        state = tensors[program.outputs[STATE_OUT]]
        for key, name in names.items():
            rows[key].append(codes16(tensors[name][0], plan.tensors[name]))
    return {key: np.stack(values) for key, values in rows.items()}


def check_golden(
    controller: Controller, plan: QuantizationPlan | None, golden: Mapping[str, FloatArray], where: str
) -> None:
    """Refuse a bundle, or a machine, whose reference does not give the golden actions.

    With a plan its arithmetic must give the golden codes too, from the state of the step before.

    Raises:
        BundleError: vectors are missing or misshapen, or an action differs.
    """
    try:
        if not len(golden["observation"]) == len(golden["dt_s"]) == len(golden["action"]) > 0:
            raise ValueError("their lengths differ, or are 0")
        observation, dt_s, action = golden["observation"], golden["dt_s"], golden["action"]
        reference = ReferenceBatch(controller)
        reference.reset(1)
        rows = zip(observation, dt_s, strict=True)
        found = np.concatenate([reference.step(row[None], np.array([dt])) for row, dt in rows])
        error, allowed = np.abs(found - action), FLOAT32_ERROR * (1.0 + np.abs(action))
        codes = {} if plan is None else _integer_errors(controller, plan, golden)
    except (KeyError, ValueError, IndexError, TypeError) as problem:
        raise BundleError(f"{where}: golden vectors are missing or misshapen ({problem})") from None
    beyond = ~(error <= allowed)
    if beyond.any():
        step, channel = (int(index) for index in np.argwhere(beyond)[0])
        raise BundleError(
            f"{where}: {controller.actions[channel].name} is off by {error[step, channel]:.3g} at step "
            f"{step}; the bundle or this machine's arithmetic is at fault"
        )
    for name, most in codes.items():
        if not most <= CODES_ERROR:
            raise BundleError(
                f"{where}: {name} is off by {most:g} codes of the plan's arithmetic; the bundle or this "
                "machine's arithmetic is at fault"
            )


def _integer_errors(
    controller: Controller, plan: QuantizationPlan, golden: Mapping[str, FloatArray]
) -> dict[str, float]:
    """Greatest difference in codes of action and state, by name; each step starts from the golden state."""
    program = lower_unit(controller, plan.coordinates)
    names = {"int16.action": program.outputs[ACTION], "int16.state": program.outputs[STATE_OUT]}
    first = codes16(plan.coordinates.state.to_fraction(controller.reset_state), plan.tensors[STATE_IN])
    before = np.concatenate([first[None], golden["int16.state"][:-1]])
    inputs = {OBSERVATION: golden["int16.observation"], DT: golden["int16.dt"], STATE_IN: before}
    tensors = simulate16(program, plan.tensors, plan.dense).tensors(
        *(codes.astype(np.float64) * plan.tensors[name].scale16 for name, codes in inputs.items())
    )
    found = {key: codes16(tensors[name], plan.tensors[name]) for key, name in names.items()}
    if any(found[key].shape != golden[key].shape for key in names):
        raise ValueError("codes have another shape")
    return {key: float(np.abs(found[key].astype(np.float64) - golden[key]).max()) for key in names}
