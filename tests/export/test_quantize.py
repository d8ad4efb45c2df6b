"""The plan: formats that integers can pass between, scales that are powers of two, accuracy in 16 bits."""

import dataclasses

import numpy as np
import pytest

from ltc_edge import ActionSignal, Controller, ObservationSignal, Scaling, Timing, wiring
from ltc_edge.cells import LTCSpec
from ltc_edge.export.calibration import excitation, unit_steps
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.program import STATE_IN, STATE_OUT, Binary, Concat, Map, Range, Slice
from ltc_edge.export.quantize import FLAT_BEYOND, make_plan
from ltc_edge.export.sensitivity import sensitivities
from ltc_edge.export.simulate import codes16, round8, round16, rounding_hook, simulate16, with_integer_weights
from ltc_edge.runtimes.reference import ReferenceBatch


def test_what_moves_or_compares_codes_shares_a_format(zoo, integer_kind):
    built, plan = zoo.planned(integer_kind)
    program = lower_unit(built, plan.coordinates)

    def code(name):
        own = plan.tensors[name]
        return own.scale16, own.scale8, own.zero8

    assert code(STATE_IN) == code(program.outputs[STATE_OUT])
    for operation in program.operations:
        compares = isinstance(operation, Binary) and operation.kind in ("minimum", "maximum")
        if compares or isinstance(operation, Slice | Concat):
            for source in operation.inputs:
                assert code(source) == code(operation.output), operation
        if isinstance(operation, Map) and operation.kind in ("sigmoid", "tanh"):
            fixed = {"sigmoid": (1 / 256, -128), "tanh": (1 / 128, 0)}[operation.kind]
            assert code(operation.output)[1:] == fixed


def test_every_tensor_is_planned_and_covers_what_was_seen(zoo, integer_kind):
    built, plan = zoo.planned(integer_kind)
    program = lower_unit(built, plan.coordinates)
    assert plan.tensors.keys() == program.sizes.keys()
    assert plan.dense.keys() == {operation.output for operation in program.dense()}
    for name, own in plan.tensors.items():
        assert np.frexp(own.scale16)[0] == 0.5, name
        flat = min(FLAT_BEYOND.values())  # a sigmoid's input need not be told from one farther out
        assert own.low <= max(own.observed[0], -flat) + 1e-9, name
        assert min(own.observed[1], flat) <= own.high + 1e-9, name
        assert max(-own.low, own.high) <= 32768 * own.scale16, name
        assert own.proved == (name in program.proved or name in program.constants)
    for name, values in program.constants.items():
        half = plan.tensors[name].scale16 / 2
        assert (np.abs(round16(values, plan.tensors[name]) - values) <= half).all(), "a constant saturates"


def test_states_have_the_finest_scale(zoo, integer_kind):
    """Measured ones too: their coordinates are made for it."""
    _, plan = zoo.planned(integer_kind)
    assert plan.tensors[STATE_IN].scale16 == 2.0**-15


def test_unproved_ranges_have_headroom(zoo):
    built, plan = zoo.planned("gru")
    program = lower_unit(built, plan.coordinates)
    readers = {
        operation.input: operation.kind for operation in program.operations if isinstance(operation, Map)
    }
    for name in program.sizes.keys() - program.proved.keys() - program.constants.keys():
        own = plan.tensors[name]
        reach = min(1.25 * max(-own.observed[0], own.observed[1]), FLAT_BEYOND.get(readers.get(name), np.inf))
        assert max(-own.low, own.high) == pytest.approx(reach)


def test_sub_steps_share_the_integers_of_their_matrix(zoo):
    _, plan = zoo.planned("ltc")
    first = plan.dense["ltc.unfold_0.numerator_sum"]
    assert all(plan.dense[f"ltc.unfold_{index}.numerator_sum"] is first for index in range(6))


def test_the_state_passes_through_its_codes_unchanged(zoo, integer_kind):
    built, plan = zoo.planned(integer_kind)
    program = lower_unit(built, plan.coordinates)
    batch, rng = simulate16(program, plan.tensors, plan.dense), np.random.default_rng(1)
    state = rng.integers(-32768, 32768, size=(40, built.state_size)) * plan.tensors[STATE_IN].scale16
    _, after = batch.step(rng.uniform(-1, 1, (40, 3)), rng.uniform(0.05, 1, (40, 1)), state)
    codes = codes16(after, plan.tensors[program.outputs[STATE_OUT]])
    np.testing.assert_array_equal(codes * plan.tensors[STATE_IN].scale16, after)
    np.testing.assert_array_equal(round16(after, plan.tensors[STATE_IN]), after)


def test_codes_saturate_and_break_ties_to_even(zoo):
    _, plan = zoo.planned("gru")
    own = dataclasses.replace(plan.tensors[STATE_IN], scale16=0.5, scale8=0.5, zero8=-28)
    values = np.array([0.25, 0.75, 1.25, -0.25, -0.75, 1e9, -1e9])
    assert codes16(values, own).tolist() == [0, 2, 2, 0, -2, 32767, -32768]
    assert round8(values, own).tolist() == [0.0, 1.0, 1.0, 0.0, -1.0, 77.5, -50.0]


def test_a_tensor_with_a_coarse_scale_comes_out_on_top(zoo):
    built, plan = zoo.planned("gru")
    program = lower_unit(built, plan.coordinates)
    coarse = dict(plan.tensors)
    coarse["gru.new"] = dataclasses.replace(coarse["gru.new"], scale16=0.25)
    inputs = unit_steps(built, plan.coordinates, excitation(built, sequences=3, steps=30, seed=5))
    reset = plan.coordinates.state.to_fraction(built.reset_state)
    found = sensitivities(program, coarse, plan.dense, inputs, reset)
    assert found[0].name == "gru.new"
    assert found[0].percent16 > 10 * next(s.percent16 for s in found if s.name == "gru.reset")


def test_a_weight_matrix_that_is_wrong_comes_out_on_top(zoo):
    built, plan = zoo.planned("gru")
    program = lower_unit(built, plan.coordinates)
    wrong = dict(plan.dense)
    wrong["gru.new_input"] = dataclasses.replace(
        wrong["gru.new_input"], scale=1.5 * wrong["gru.new_input"].scale
    )
    inputs = unit_steps(built, plan.coordinates, excitation(built, sequences=3, steps=30, seed=5))
    found = sensitivities(
        program, plan.tensors, wrong, inputs, plan.coordinates.state.to_fraction(built.reset_state)
    )
    assert (found[0].name, found[0].kind) == ("gru.new_input", "weight")


def test_every_tensor_and_matrix_is_listed_the_costliest_first(zoo, integer_kind):
    built, plan = zoo.planned(integer_kind)
    program = lower_unit(built, plan.coordinates)
    worst = [s.percent8 if s.percent16 is None else s.percent16 for s in plan.sensitivity]
    assert worst == sorted(worst, reverse=True)
    assert np.isfinite(worst).all()
    weights = [s.name for s in plan.sensitivity if s.kind == "weight"]
    tensors = [s.name for s in plan.sensitivity if s.kind == "tensor"]
    assert len(set(weights)) == len(weights)
    assert len(set(tensors)) == len(tensors)
    assert all(s.percent16 is None for s in plan.sensitivity if s.kind == "weight")
    collapse = {
        name.replace(f"unfold_{i}", "unfold_*")
        for name in program.sizes
        for i in range(6)
        if f"unfold_{i}." in name
    }
    plain = {name for name in program.sizes if "unfold_" not in name}
    assert set(tensors) == (collapse | plain) - program.constants.keys()


def test_the_same_plan_twice(zoo):
    built = zoo.controller("mixed memory, ctrnn")
    given = (excitation(built, sequences=2, steps=30, seed=3),)
    first, second = make_plan(built, given), make_plan(built, given)
    assert first.sensitivity == second.sensitivity
    assert first.tensors == second.tensors
    for name, dense in first.dense.items():
        np.testing.assert_array_equal(dense.values, second.dense[name].values)


def test_integer_weights_alone_are_close(zoo, integer_kind):
    """A wrong sign or a transposed matrix would show here."""
    built, plan = zoo.planned(integer_kind)
    program = lower_unit(built, plan.coordinates)
    integer = with_integer_weights(program, plan.dense)
    for exact, rounded in zip(program.dense(), integer.dense(), strict=True):
        greatest = np.abs(exact.weight).max(axis=1, keepdims=True, initial=0)
        assert (np.abs(exact.weight - rounded.weight) <= 0.32 * greatest + 1e-12).all()
    only_state = ProgramBatch(program, rounding_hook(plan.tensors, lambda name: name == STATE_IN))
    state = np.full((1, built.state_size), 0.1)
    inputs = np.full((1, 3), 0.2), np.full((1, 1), 0.5)
    _, exact_state = ProgramBatch(program).step(*inputs, round16(state, plan.tensors[STATE_IN]))
    np.testing.assert_array_equal(only_state.step(*inputs, state)[1], exact_state)


def auto_ncp_ltc(units, seed):
    """An LTC on an AutoNCP wiring, drawn as `ncps` draws a new one, with softplus conductances."""
    cell = LTCSpec(wiring.auto_ncp(4, units, 1))
    rng = np.random.default_rng(seed)
    ranges = {"gleak": (0.001, 1), "vleak": (-0.2, 0.2), "cm": (0.4, 0.6), "w": (0.001, 1), "sigma": (3, 8)}
    ranges |= {"mu": (0.3, 0.8), "input_w": (1, 1), "input_b": (0, 0), "output_w": (1, 1), "output_b": (0, 0)}
    parameters = {
        name: rng.uniform(*ranges[name.removeprefix("sensory_")], size=shape)
        for name, shape in cell.parameter_shapes().items()
        if "erev" not in name
    }
    for prefix, synapses, polarity in (
        ("", cell.wiring.synapses, cell.wiring.recurrent),
        ("sensory_", cell.wiring.sensory_synapses, cell.wiring.sensory),
    ):
        parameters[f"{prefix}erev"] = polarity[synapses[:, 0], synapses[:, 1]].astype(np.float64)
    return Controller(
        "auto ncp",
        "control",
        tuple(ObservationSignal(name) for name in "abcd"),
        Scaling.identity(4),
        cell,
        parameters,
        (ActionSignal("u"),),
        Scaling.identity(1),
        Timing.of_period(1.0),
        np.zeros(units),
        np.zeros(1),
    )


@pytest.mark.parametrize("units", [19, 32])
def test_sixteen_bits_keep_an_auto_ncp_accurate(units):
    """RMS error of the action over its standard deviation, 2,000 free steps of excitation: 0.3 % at most."""
    built = auto_ncp_ltc(units, seed=units)
    plan = make_plan(built, (excitation(built, sequences=16, steps=100, seed=1),))
    batch = simulate16(lower_unit(built, plan.coordinates), plan.tensors, plan.dense)
    unseen = excitation(built, sequences=4, steps=500, seed=7)
    reference = ReferenceBatch(built)
    reference.reset(4)
    state = np.tile(plan.coordinates.state.to_fraction(built.reset_state), (4, 1))
    steps, expected, got = unit_steps(built, plan.coordinates, unseen), [], []
    for k in range(500):
        expected.append(reference.step(unseen.observation[:, k], unseen.dt_s[:, k]))
        action, state = batch.step(steps.observation[k], steps.dt[k], state)
        got.append(plan.coordinates.action.to_raw(action))
    error = np.array(got) - np.array(expected)
    percent = 100 * np.sqrt(np.mean(error**2)) / np.std(expected)
    assert percent <= 0.3


def test_ranges_know_their_magnitude():
    assert Range(-2.0, 1.0).magnitude == 2.0
    assert Range(0.0, 3.0).magnitude == 3.0
