"""Both forms of a lowered step compute what the reference computes, or are refused with a reason."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge import ActionSignal, ReferenceStepper, Timing
from ltc_edge.cells import CfCSpec, LTCSpec, MixedMemorySpec
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.calibration import excitation
from ltc_edge.export.coordinates import Observed, unit_coordinates
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.float32 import at_least, at_most
from ltc_edge.export.lowering import lower_floating, lower_unit, ltc_synapses
from ltc_edge.export.quantize import make_plan
from ltc_edge.export.simulate import simulate16
from ltc_edge.wiring import Role, Wiring

STEPS = 200
SCALE = np.array([1.0, 40.0])  # the second action is forty times the first


def run_floating(built, observations, spans):
    batch, state, actions = ProgramBatch(lower_floating(built)), built.reset_state[None], []
    for observation, dt in zip(observations, spans, strict=True):
        action, state = batch.step(observation[None], np.array([[dt]]), state)
        actions.append(action[0])
    return np.array(actions), state[0]


def seen_coordinates(zoo, built, observations, spans):
    """Unit coordinates of exactly what these observations cause."""
    free, states, actions = ReferenceStepper(zoo.without_limits(built)), [], []
    for observation, dt in zip(observations, spans, strict=True):
        actions.append(free.step(observation, float(dt)))
        states.append(free.state)
    return unit_coordinates(
        built,
        observation=Observed(observations.min(axis=0), observations.max(axis=0)),
        state=Observed(np.min(states, axis=0), np.max(states, axis=0)),
        action=Observed(np.min(actions, axis=0), np.max(actions, axis=0)),
    )


def cut(program):
    """A hook that does what saturation does, and holds the others to what is proved."""

    def check(name, values):
        proved = program.proved.get(name)
        if proved is None:
            return values
        if proved.saturates:
            return np.clip(values, proved.low, proved.high)
        assert values.min(initial=proved.low) >= proved.low - 1e-9, name
        assert values.max(initial=proved.high) <= proved.high + 1e-9, name
        return values

    return check


def run_unit(built, coordinates, observations, spans):
    program = lower_unit(built, coordinates)
    batch, state, actions = ProgramBatch(program, cut(program)), None, []
    state = coordinates.state.to_fraction(built.reset_state)[None]
    seconds = np.clip(spans, built.timing.dt_min_s, built.timing.dt_max_s)
    for observation, dt in zip(observations, seconds, strict=True):
        fraction = np.clip(coordinates.observation.to_fraction(observation), -1, 1)
        action, state = batch.step(fraction[None], coordinates.dt.to_fraction(np.array([[dt]])), state)
        actions.append(coordinates.action.to_raw(action[0]))
    return np.array(actions), coordinates.state.to_raw(state[0])


def test_the_floating_form_is_the_reference(zoo, kind):
    built = zoo.controller(kind)
    observations, spans = zoo.irregular(STEPS)
    reference = ReferenceStepper(built)
    expected = zoo.run(reference, observations, spans)
    actions, state = run_floating(built, observations, spans)
    assert (np.abs(actions - expected) <= 1e-12 * SCALE).all()
    np.testing.assert_allclose(state, reference.state, rtol=0, atol=1e-11)


@pytest.mark.parametrize("reach", [16.0, 60.0])
def test_the_unit_form_is_the_reference(zoo, integer_kind, reach, monkeypatch):
    """Apart from sigmoids' inputs, which saturate at 16: with a longer reach that is gone too."""
    monkeypatch.setattr(ltc_synapses, "SIGMOID_REACH", reach)
    built = zoo.controller(integer_kind)
    observations, spans = zoo.irregular(STEPS)
    expected = zoo.run(ReferenceStepper(built), observations, spans)
    coordinates = seen_coordinates(zoo, built, observations, spans)
    actions, _ = run_unit(built, coordinates, observations, spans)
    tolerance = 2e-6 if "ltc" in integer_kind and reach == 16.0 else 1e-9
    assert (np.abs(actions - expected) <= tolerance * SCALE).all()


@pytest.mark.parametrize("mode", ["pure", "no_gate"])
def test_a_wired_cfc_behind_a_memory_leaves_the_unit_interval(zoo, mode, monkeypatch):
    """What it is handed lies within 1, its own next state need not."""
    inner = CfCSpec(3, 9, zoo.cells["cfc wired"].wiring, mode=mode)
    monkeypatch.setitem(zoo.cells, "memory before", MixedMemorySpec(inner))
    built = zoo.controller("memory before")
    parameters = {
        name: 3 * values if name.endswith(("_A", "ff1_bias", "ff2_bias", "time_b_bias")) else values
        for name, values in built.parameters.items()
    }
    built = dataclasses.replace(built, parameters=parameters)
    observations, spans = zoo.irregular(STEPS)
    reference = ReferenceStepper(built)
    expected = zoo.run(reference, observations, spans)
    assert np.abs(reference.state[:9]).max() > 1
    coordinates = seen_coordinates(zoo, built, observations, spans)
    actions, state = run_unit(built, coordinates, observations, spans)
    np.testing.assert_allclose(state, reference.state, rtol=0, atol=1e-9)
    assert (np.abs(actions - expected) <= 1e-9 * SCALE).all()


def test_the_comparison_reaches_clip_limits_and_slew(zoo):
    built = zoo.controller("gru")
    observations, spans = zoo.irregular(STEPS)
    actions = zoo.run(ReferenceStepper(built), observations, spans)
    assert (np.abs((observations - built.normalizer.offset) / built.normalizer.scale) > built.clip).any()
    assert (actions[:, 0] == 0.5).any()
    change = np.abs(np.diff(actions[:, 0], prepend=built.fallback[0]))
    assert np.isclose(change, 6.0 * np.clip(spans, 0.005, 0.1)).sum() > 10


def test_without_limits_slew_and_readout(zoo, integer_kind):
    built = zoo.without_limits(zoo.controller(integer_kind, clip=np.inf))
    if built.cell.outputs == len(built.actions):
        parameters = {k: v for k, v in built.parameters.items() if not k.startswith("readout")}
        built = dataclasses.replace(built, parameters=parameters)
    observations, spans = zoo.irregular(60)
    expected = zoo.run(ReferenceStepper(built), observations, spans)
    floating, _ = run_floating(built, observations, spans)
    assert (np.abs(floating - expected) <= 1e-12 * SCALE).all()
    coordinates = seen_coordinates(zoo, built, observations, spans)
    unit, _ = run_unit(built, coordinates, observations, spans)
    assert (np.abs(unit - expected) <= 1e-5 * SCALE).all()


@settings(max_examples=200, deadline=None)
@given(st.floats(-1e37, 1e37), st.floats(1e-6, 1e3))
def test_limits_are_rounded_to_a_float32_within_them(low, width):
    high = low + width
    least, most = at_least(np.array([low]))[0], at_most(np.array([high]))[0]
    assert low <= least
    assert most <= high
    assert (np.float32(least), np.float32(most)) == (least, most)


def test_actions_beyond_what_was_seen_saturate_at_the_limits(zoo):
    signals = (ActionSignal("a", low=-0.25, high=0.25), ActionSignal("b", low=-1.0, high=1.0))
    built = zoo.controller("gru", actions=signals)
    observations, spans = zoo.irregular(100)
    coordinates = seen_coordinates(zoo, built, observations, spans)
    np.testing.assert_array_equal(coordinates.action.to_raw(np.array([-1.0, 1.0])), [-0.25, 1.0])
    actions, _ = run_unit(built, coordinates, observations, spans)
    np.testing.assert_allclose(
        actions, zoo.run(ReferenceStepper(built), observations, spans), rtol=0, atol=1e-9
    )
    assert (actions[:, 0] == 0.25).any()


@pytest.mark.parametrize("slew", [(0.3, np.inf), (2.0, 1e9), (0.05, 400.0)])
def test_a_slow_action_keeps_its_slew_beside_a_fast_one(zoo, slew):
    """In 16 bits too: their rates are far apart, and must not share one scale."""
    signals = tuple(ActionSignal(name, "", -1.0, 1.0, rate) for name, rate in zip("ab", slew, strict=True))
    built = zoo.controller("gru", actions=signals)
    plan = make_plan(built, (excitation(built, sequences=4, steps=60, seed=3),))
    batch = simulate16(lower_unit(built, plan.coordinates), plan.tensors, plan.dense)
    state = plan.coordinates.state.to_fraction(built.reset_state)[None]
    dt = np.array([[0.02 / built.timing.dt_max_s]])
    previous, changes = built.fallback, []
    for _ in range(4):
        action, state = batch.step(np.full((1, 3), 0.6), dt, state)
        changes.append(np.abs(action[0] - previous))
        previous = action[0]
    assert changes[0][0] == pytest.approx(slew[0] * 0.02, rel=0.01, abs=2**-14)
    assert changes[0][1] > 0.1


def test_a_slew_too_slow_for_16_bits_is_refused(zoo):
    """Its action would stand still."""
    signals = (ActionSignal("a", "", -1.0, 1.0), ActionSignal("valve", "", -1.0, 1.0, slew=1e-3))
    built = zoo.controller("gru", actions=signals)
    with pytest.raises(FormatRefusedError, match="action valve may move by 2e-05") as refused:
        make_plan(built, (excitation(built, sequences=2, steps=10, seed=1),))
    assert refused.value.reason == "slow-slew"


@pytest.mark.parametrize("kind", ["ltc euler", "ltc rk4"])
def test_explicit_solvers_are_refused(zoo, kind):
    built = zoo.controller(kind)
    with pytest.raises(FormatRefusedError, match="solver") as refused:
        make_plan(built, (excitation(built, sequences=2, steps=10, seed=1),))
    assert refused.value.reason == "explicit-solver"
    fused = dataclasses.replace(built, cell=dataclasses.replace(built.cell, solver="fused"))
    observations, spans = zoo.irregular(20)
    with pytest.raises(FormatRefusedError) as refused:
        lower_unit(built, seen_coordinates(zoo, fused, observations, spans))
    assert refused.value.reason == "explicit-solver"


def test_a_diverging_explicit_solver_is_refused_without_a_warning(zoo):
    built = zoo.controller("ltc euler")
    built = dataclasses.replace(
        built,
        cell=dataclasses.replace(built.cell, unfolds=1),
        timing=Timing(1.0, 1.0, 400.0, 0.01),
    )
    with pytest.raises(FormatRefusedError) as refused:
        make_plan(built, (excitation(built, sequences=2, steps=100, seed=1),))
    assert refused.value.reason == "explicit-solver"


def test_a_dt_range_too_wide_for_16_bits_is_refused(zoo):
    built = zoo.controller("gru", timing=Timing(0.02, 0.001, 0.6, 0.02))
    with pytest.raises(FormatRefusedError, match="--dt-range") as refused:
        make_plan(built, (excitation(built, sequences=2, steps=10, seed=1),))
    assert refused.value.reason == "dt-range"


def test_a_division_by_too_little_is_refused(zoo):
    built = zoo.controller("ltc clamp")
    parameters = dict(built.parameters) | {"gleak": np.zeros(9), "cm": np.full(9, 1e-6)}
    built = dataclasses.replace(built, parameters=parameters)
    with pytest.raises(FormatRefusedError, match=r"neuron \d would be divided by") as refused:
        make_plan(built, (excitation(built, sequences=2, steps=10, seed=1),))
    assert refused.value.reason == "ill-conditioned"


@pytest.mark.parametrize(("gleak", "cm", "message"), [(0.0, 0.5, "leaks"), (0.5, 1e-5, "forgets within")])
def test_exponential_euler_of_what_16_bits_cannot_hold_is_refused(zoo, gleak, cm, message):
    built = zoo.controller("ltc clamp")
    parameters = dict(built.parameters) | {"gleak": np.full(9, gleak), "cm": np.full(9, cm)}
    cell = dataclasses.replace(built.cell, solver="exponential")
    built = dataclasses.replace(built, cell=cell, parameters=parameters)
    with pytest.raises(FormatRefusedError, match=rf"neuron \d {message}") as refused:
        make_plan(built, (excitation(built, sequences=2, steps=10, seed=1),))
    assert refused.value.reason == "ill-conditioned"


def test_exponential_euler_keeps_the_pace_of_slow_neurons_in_16_bits(zoo):
    """Among quick ones, whose paces share their format with a slow one's."""
    built = zoo.controller("ltc clamp", actions=(ActionSignal("a", "", -4.0, 4.0), ActionSignal("b", "")))
    cm = np.full(9, 0.02)
    cm[0] = 300.0
    parameters = dict(built.parameters) | {"cm": cm}
    cell = dataclasses.replace(built.cell, solver="exponential")
    built = dataclasses.replace(built, cell=cell, parameters=parameters)
    built = dataclasses.replace(built, initial_state=np.eye(9)[0] * 0.9)
    plan = make_plan(built, (excitation(built, sequences=2, steps=50, seed=1),))
    batch = simulate16(lower_unit(built, plan.coordinates), plan.tensors, plan.dense)
    at, reference = plan.coordinates, ReferenceStepper(built)
    observation = np.full(3, 0.2)
    state = at.state.to_fraction(built.reset_state)[None]
    start = reference.state[0]
    for _ in range(800):
        reference.step(observation, built.timing.period_s)
        fraction = at.observation.to_fraction(observation)[None]
        _, state = batch.step(fraction, at.dt.to_fraction(np.full((1, 1), built.timing.period_s)), state)
    moved, wanted = at.state.to_raw(state[0])[0] - start, reference.state[0] - start
    assert abs(wanted) > 0.05
    assert moved == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize(("sensory", "recurrent"), [(1, 0), (0, 1)])
def test_an_ltc_without_synapses_is_refused(zoo, sensory, recurrent, monkeypatch):
    roles = (Role.MOTOR, Role.MOTOR, Role.COMMAND)
    bare = Wiring("custom", np.full((3, 3), sensory), np.full((3, 3), recurrent), roles)
    monkeypatch.setitem(zoo.cells, "bare", LTCSpec(bare))
    built = zoo.controller("bare")
    with pytest.raises(FormatRefusedError) as refused:
        make_plan(built, (excitation(built, sequences=2, steps=10, seed=1),))
    assert refused.value.reason == "no-synapses"
    with pytest.raises(FormatRefusedError):
        lower_floating(built)


def test_programs_are_in_order_and_name_everything_once(zoo, integer_kind):
    built, plan = zoo.planned(integer_kind)
    for program in (lower_floating(built), lower_unit(built, plan.coordinates)):
        known = {*program.inputs, *program.constants}
        for operation in program.operations:
            assert known.issuperset(operation.inputs)
            assert operation.output not in known
            known.add(operation.output)
        assert known == program.sizes.keys()
        assert known.issuperset(program.outputs.values())
        assert program.stages.keys() == known - program.constants.keys()
        read = {name for operation in program.operations for name in operation.inputs}
        assert program.constants.keys() <= read, "a constant that nothing reads"
        assert known - program.constants.keys() <= read | set(program.outputs.values()), (
            "a tensor nobody reads"
        )
