"""What a Controller refuses, and what it says of itself."""

import dataclasses
import math

import numpy as np
import pytest

from ltc_edge import ActionSignal, Controller, InputError, ObservationSignal, Scaling, Timing, wiring
from ltc_edge.cells import CTRNNSpec, LTCSpec, MixedMemorySpec
from ltc_edge.controller import PURPOSES

CELL = LTCSpec(wiring.auto_ncp(2, 8, 2), positivity="clamp")


def make(cell=CELL, *, readout=True, dtype=np.float32, **changes):
    rng = np.random.default_rng(0)
    shapes = cell.parameter_shapes()
    if readout:
        shapes |= {"readout_weight": (3, cell.outputs), "readout_bias": (3,)}
    actions = 3 if readout else cell.outputs
    return Controller(
        **{
            "name": "arm",
            "purpose": "control",
            "observations": (ObservationSignal("angle", "rad"), ObservationSignal("rate", "rad/s")),
            "normalizer": Scaling.identity(2),
            "cell": cell,
            "parameters": {
                name: rng.uniform(0.1, 1, size=shape).astype(dtype) for name, shape in shapes.items()
            },
            "actions": tuple(ActionSignal(f"u{i}", "V", -1.0, 1.0) for i in range(actions)),
            "denormalizer": Scaling.identity(actions),
            "timing": Timing.of_period(0.02),
            "initial_state": np.zeros(cell.state_size),
            "fallback": np.zeros(actions),
        }
        | changes
    )


def with_parameter(name, value):
    return {"parameters": dict(make().parameters) | {name: value}}


def without_parameter(name):
    return {"parameters": {key: value for key, value in make().parameters.items() if key != name}}


def like(name, value):
    return np.full_like(make().parameters[name], value)


TWO_NAMED = (ObservationSignal("a"), ObservationSignal("a"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"purpose": "fun"}, "purpose 'fun' is not one of control, prediction"),
        ({"observations": (ObservationSignal("a"),)}, "1 observations for a cell of 2 inputs"),
        ({"observations": TWO_NAMED}, "observation names must be present and differ"),
        ({"observations": (ObservationSignal(""), ObservationSignal("b"))}, "observation names must be"),
        ({"actions": (ActionSignal("u"),) * 3}, "action names must be present and differ"),
        ({"actions": (ActionSignal("u"),)}, "denormalizer has shape"),
        ({"actions": ()}, "at least one action"),
        ({"normalizer": Scaling.identity(3)}, r"normalizer has shape \(3,\), expected \(2,\)"),
        ({"denormalizer": Scaling.identity(2)}, r"denormalizer has shape \(2,\), expected \(3,\)"),
        ({"initial_state": np.zeros(7)}, r"initial_state has shape \(7,\), expected \(8,\)"),
        ({"initial_state": np.full(8, np.nan)}, "initial_state is not finite"),
        ({"fallback": np.zeros((3, 1))}, "fallback has shape"),
        ({"fallback": np.array([0, 0, np.inf])}, "fallback is not finite"),
        ({"fallback": np.array([0, 0, 1.5])}, "is outside the action limits"),
        ({"clip": 0.0}, "clip 0.0 must be positive"),
        ({"clip": math.nan}, "clip nan must be positive"),
        (without_parameter("cm"), "missing or unknown parameters: cm"),
        (without_parameter("readout_bias"), "missing or unknown parameters: readout_bias"),
        (with_parameter("odd", np.zeros(1, np.float32)), "missing or unknown parameters: odd"),
        (with_parameter("cm", np.ones(3, np.float32)), r"cm has shape \(3,\), expected \(8,\)"),
        (with_parameter("cm", np.ones(8, np.float64)), "all float32 or all float64"),
        (with_parameter("mu", like("mu", np.nan)), "parameter mu is not finite"),
        (with_parameter("mu", like("mu", np.inf)), "parameter mu is not finite"),
        *((with_parameter(name, like(name, -1e-6)), f"{name} is negative")
          for name in ("w", "sensory_w", "cm", "gleak")),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(changes, message):
    with pytest.raises(InputError, match=message):
        dataclasses.replace(make(), **changes)


def test_parameters_of_another_type_are_refused():
    for dtype in (np.float16, np.int32, np.complex64, ">f4"):
        with pytest.raises(InputError, match="all float32 or all float64"):
            make(dtype=dtype)


def test_actions_without_readout_are_the_cell_s_outputs():
    assert not make(readout=False).has_readout
    parameters = {k: v for k, v in make().parameters.items() if not k.startswith("readout")}
    with pytest.raises(InputError, match="3 actions for a cell of 2 outputs and no readout"):
        make(parameters=parameters)


@pytest.mark.parametrize("solver", ["exponential", "euler", "rk4"])
def test_a_solver_that_divides_by_it_needs_a_capacitance(solver):
    cell = dataclasses.replace(CELL, solver=solver)
    parameters = dict(make().parameters) | {"cm": like("cm", 0.0)}
    assert make(parameters=parameters).cell.solver == "fused"
    with pytest.raises(InputError, match=f"cm is zero, which the {solver} solver divides by"):
        make(cell, parameters=parameters)


def test_clamp_mode_is_checked_behind_a_memory_too():
    cell = MixedMemorySpec(CELL)
    shaped = make(cell)
    with pytest.raises(InputError, match="parameter w is negative"):
        dataclasses.replace(shaped, parameters=dict(shaped.parameters) | {"w": like("w", -1.0)})


def test_softplus_mode_takes_any_sign():
    cell = dataclasses.replace(CELL, positivity="softplus")
    shaped = make(cell)
    dataclasses.replace(shaped, parameters=dict(shaped.parameters) | {"w": like("w", -1.0)})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 0.1, 1.0, 1.0), "every time must be positive and finite"),
        ((0.1, -0.1, 1.0, 1.0), "every time must be positive and finite"),
        ((0.1, 0.1, math.inf, 1.0), "every time must be positive and finite"),
        ((math.nan, 0.1, 1.0, 1.0), "every time must be positive and finite"),
        ((0.1, 0.1, 1.0, 0.0), "every time must be positive and finite"),
        ((2.0, 0.1, 1.0, 1.0), r"the period 2.0 s must lie in \[0.1, 1.0\] s"),
        ((0.1, 0.2, 1.0, 1.0), r"the period 0.1 s must lie in \[0.2, 1.0\] s"),
    ],
)
def test_impossible_timings_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        Timing(*arguments)


def test_the_usual_timing():
    assert Timing.of_period(0.02) == Timing(0.02, 0.002, 0.2, 0.02)
    assert Timing.of_period(0.02, (0.01, 0.05)) == Timing(0.02, 0.01, 0.05, 0.02)


@pytest.mark.parametrize(
    ("offset", "scale", "message"),
    [
        (np.zeros(2), np.ones(3), "must be equal vectors"),
        (np.zeros((2, 1)), np.ones((2, 1)), "must be equal vectors"),
        (np.zeros(2), np.array([1.0, 0.0]), "scales positive"),
        (np.zeros(2), np.array([1.0, -1.0]), "scales positive"),
        (np.zeros(2), np.array([1.0, np.inf]), "offsets must be finite"),
        (np.array([0.0, np.nan]), np.ones(2), "offsets must be finite"),
    ],
)
def test_impossible_scalings_are_refused(offset, scale, message):
    with pytest.raises(InputError, match=message):
        Scaling(offset, scale)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"low": 1.0, "high": 1.0}, "low 1.0 must be below high 1.0"),
        ({"low": 2.0, "high": 1.0}, "low 2.0 must be below high 1.0"),
        ({"low": math.nan}, "low nan must be below"),
        ({"high": -math.inf}, "must be below high -inf"),
        ({"slew": 0.0}, "slew 0.0 must be positive"),
        ({"slew": math.nan}, "slew nan must be positive"),
    ],
)
def test_impossible_limits_are_refused(limits, message):
    with pytest.raises(InputError, match=message):
        ActionSignal("u", "V", **limits)


def test_what_it_says_of_itself():
    slow = (ActionSignal("a", slew=2.0), ActionSignal("b", low=-1.0), ActionSignal("c", high=3.0))
    controller = make(actions=slow, fallback=np.array([5.0, -1.0, 0.0]), initial_state=np.full(8, 0.25))
    low, high = controller.limits
    np.testing.assert_array_equal(low, [-math.inf, -1.0, -math.inf])
    np.testing.assert_array_equal(high, [math.inf, math.inf, 3.0])
    np.testing.assert_array_equal(controller.slew, [2.0, math.inf, math.inf])
    assert controller.is_slew_limited
    assert controller.state_size == 11
    np.testing.assert_array_equal(controller.reset_state, [0.25] * 8 + [5.0, -1.0, 0.0])
    assert controller.reset_state.dtype == np.float64
    free = make()
    assert not free.is_slew_limited
    assert free.state_size == 8
    np.testing.assert_array_equal(free.reset_state, np.zeros(8))
    assert "control" in PURPOSES


def test_parameter_counts_include_the_readout():
    controller = make()
    assert controller.parameters_effective() == CELL.parameters_effective() + 3 * 2 + 3
    assert controller.parameters_dense() == CELL.parameters_dense() + 3 * 2 + 3
    assert controller.parameters_effective() == sum(a.size for a in controller.parameters.values())
    alone = make(CTRNNSpec(2, 4), readout=False)
    assert alone.parameters_effective() == CTRNNSpec(2, 4).parameters_effective()
