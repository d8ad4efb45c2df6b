"""How far an exported controller is from itself in float64, on the inputs that verification uses.

The figure is that of ``ltc-edge verify``: the RMS error of a free run of 10,000 steps over the standard
deviation of the action, the worst channel. Only the reference is another one: the network in float64, which
takes a hundredth of the time of the step-by-step one and differs from it by rounding.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.verification.open_loop import rms_over_sigma
from ltc_edge.verification.trials import free_inputs, free_sigma


def deviation(trained: Controller, stepper: Stepper) -> float:
    """RMS error of the actions of ``stepper`` over their standard deviation; 0 where no action moves.

    Args:
        trained: the controller as it was trained.
        stepper: over its exported file.

    Raises:
        ControllerFileError: the controller gave its fallback.
    """
    observation, dt_s = free_inputs(trained)
    expected = exact_actions(trained, observation, dt_s)
    stepper.reset()
    rows = zip(observation, dt_s.tolist(), strict=True)
    found = np.stack([stepper.step(values, dt) for values, dt in rows])
    return rms_over_sigma(found - expected, free_sigma(trained, expected)) or 0.0


def exact_actions(trained: Controller, observation: FloatArray, dt_s: FloatArray) -> FloatArray:
    """Actions ``(T, M)`` of ``trained`` in float64, from the reset state."""
    return network_actions(trained, observation, dt_s, np.float64)


def network_actions(
    trained: Controller, observation: FloatArray, dt_s: FloatArray, precision: type[np.floating[Any]]
) -> FloatArray:
    """Actions ``(T, M)``, from the reset state, of the network in a precision, float32 or float64.

    Args:
        trained: the controller.
        observation, dt_s: ``(T, I)`` and ``(T,)``.
        precision: of its parameters and of all that it computes.
    """
    import torch

    from ltc_edge.network import Network

    parameters = {name: array.astype(precision) for name, array in trained.parameters.items()}
    network = Network(dataclasses.replace(trained, parameters=parameters))
    given = (torch.from_numpy(values[None].astype(precision)) for values in (observation, dt_s))
    with torch.no_grad():
        readout, _ = network(*given)
        action = network.actions(readout)[0].numpy().astype(np.float64)
    limited: FloatArray = np.clip(action, *trained.limits)
    return _slewed(trained, limited, dt_s) if trained.is_slew_limited else limited


def _slewed(controller: Controller, asked: FloatArray, dt_s: FloatArray) -> FloatArray:
    """The actions ``(T, M)`` that slew limits allow: what computes them does not know what was allowed."""
    timing = controller.timing
    reach = controller.slew * np.clip(dt_s, timing.dt_min_s, timing.dt_max_s)[:, None]
    previous = controller.reset_state[controller.cell.state_size :]
    allowed = np.empty_like(asked)
    for step, action in enumerate(asked):
        previous = allowed[step] = np.clip(action, previous - reach[step], previous + reach[step])
    return allowed
