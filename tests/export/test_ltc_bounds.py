"""What is proved about an LTC, tried on random ones: ranges, conductances, and integers that never fail."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ltc_edge import ActionSignal, Controller, ObservationSignal, Scaling, Timing
from ltc_edge.cells import LTCSpec
from ltc_edge.cells.spec import BOUNDED_SOLVERS
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.calibration import excitation
from ltc_edge.export.coordinates import MARGIN, Observed, unit_coordinates
from ltc_edge.export.execute import ProgramBatch
from ltc_edge.export.integer_pairs import best_offset, integer_pairs
from ltc_edge.export.lowering import lower_floating, lower_unit, ltc_synapses, ltc_unit
from ltc_edge.export.ltc_bounds import StateBounds, effective_parameters, greatest_conductance, state_bounds
from ltc_edge.export.program import STATE_IN, STATE_OUT
from ltc_edge.export.quantize import make_plan
from ltc_edge.export.simulate import codes16, simulate16
from ltc_edge.runtimes.reference import ReferenceBatch, ReferenceStepper
from ltc_edge.wiring import Role, Wiring

SEEDS = st.integers(0, 2**32 - 1)
ROUNDING = 1e-9


def random_ltc(seed, *, dt=(1e-3, 0.5), least_leak=1e-2):
    """Any wiring, either positivity map and bounded solver, and parameters over several decades."""
    rng = np.random.default_rng(seed)
    units, inputs = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    density = rng.uniform(0.2, 1.0)
    sensory, recurrent = (
        rng.choice([-1, 1], size=(n, units)) * (rng.random((n, units)) < density) for n in (inputs, units)
    )
    sensory[0, 0] = recurrent[0, 0] = 1
    motors = int(rng.integers(1, units + 1))
    roles = (Role.MOTOR,) * motors + (Role.INTER,) * (units - motors)
    clamp = bool(rng.random() < 0.5)
    cell = LTCSpec(
        Wiring("custom", sensory, recurrent, roles),
        solver=str(rng.choice(sorted(BOUNDED_SOLVERS))),
        unfolds=int(rng.integers(1, 7)),
        positivity="clamp" if clamp else "softplus",
    )
    decades = {"gleak": (least_leak, 10), "cm": (1e-2, 10), "w": (1e-4, 100)}
    parameters = {}
    for name, shape in cell.parameter_shapes().items():
        base = name.removeprefix("sensory_")
        if base in decades:
            wanted = np.exp(rng.uniform(*np.log(decades[base]), size=shape))
            parameters[name] = wanted if clamp else wanted + np.log(-np.expm1(-wanted))
        else:
            size = {"sigma": 20.0, "mu": 3.0, "input_w": 3.0}.get(base, 5.0)
            parameters[name] = rng.uniform(-size, size, size=shape)
    return Controller(
        "random",
        "control",
        tuple(ObservationSignal(f"o{i}") for i in range(inputs)),
        Scaling.identity(inputs),
        cell,
        parameters,
        tuple(ActionSignal(f"a{i}") for i in range(motors)),
        Scaling.identity(motors),
        Timing(float(np.sqrt(dt[0] * dt[1])), *dt, 0.1),
        rng.uniform(-2, 2, size=units),
        np.zeros(motors),
    )


def coordinates_of(built, share=None):
    """As after a calibration with inputs up to 1e4; ``share`` of the greatest conductance was seen."""
    inputs, motors = built.cell.inputs, len(built.actions)
    possible = greatest_conductance(built.cell, built.parameters) / 2
    return unit_coordinates(
        built,
        observation=Observed(np.full(inputs, -1e4), np.full(inputs, 1e4)),
        state=Observed(built.initial_state, built.initial_state),
        action=Observed(np.full(motors, -1.0), np.full(motors, 1.0)),
        conductance=None if share is None else share * possible / MARGIN,
    )


def unit_program(built, share=None):
    coordinates = coordinates_of(built, share)
    try:
        return coordinates, lower_unit(built, coordinates)
    except FormatRefusedError as refused:
        if refused.reason != "ill-conditioned":
            raise
        assume(False)


def fractions(built, coordinates, rng, rows):
    """Any input and any state that there can be, its extremes among them."""
    shortest = coordinates.dt.to_fraction(np.array([built.timing.dt_min_s]))[0]
    observation = np.clip(
        rng.normal(size=(rows, built.cell.inputs)) * 10.0 ** rng.uniform(-4, 1, size=(rows, 1)), -1, 1
    )
    dt = np.exp(rng.uniform(np.log(shortest), 0, size=(rows, 1)))
    dt[:2] = [[shortest], [1.0]]
    state = np.clip(rng.uniform(-1.5, 1.5, size=(rows, built.state_size)), -1, 1)
    return observation, dt, state


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_the_reference_state_stays_within_its_bounds(seed):
    built = random_ltc(seed, dt=(1e-4, 1e3), least_leak=1e-6)
    start = StateBounds(built.initial_state, built.initial_state)
    bounds = state_bounds(built.cell, built.parameters, start)
    rng, batch = np.random.default_rng(seed), ReferenceBatch(built)
    batch.reset(20)
    for _ in range(10):
        observation = rng.uniform(-1, 1, size=(20, built.cell.inputs)) * 10.0 ** rng.uniform(-2, 4)
        batch.step(observation, 10.0 ** rng.uniform(-4, 3, size=20))
        assert (batch.state >= bounds.low - ROUNDING).all()
        assert (batch.state <= bounds.high + ROUNDING).all()


def one_neuron(**parameters):
    """A neuron with three inputs and no synapse of its own."""
    cell = LTCSpec(Wiring("custom", np.ones((3, 1)), np.zeros((1, 1)), (Role.MOTOR,)), positivity="clamp")
    usual = {"sensory_w": np.ones(3), "sensory_erev": np.array([-1.0, 1.0, 2.0]), "gleak": np.ones(1)}
    shapes = {name: np.zeros(shape) for name, shape in cell.parameter_shapes().items()}
    return cell, shapes | usual | parameters


def test_a_leak_keeps_the_state_from_the_potentials():
    """Drawn most by the synapses to 1 and to 2 together; to 2 alone it would be 1, as with both."""
    cell, parameters = one_neuron()
    bounds = state_bounds(cell, parameters, StateBounds(np.zeros(1), np.zeros(1)))
    np.testing.assert_allclose([bounds.low[0], bounds.high[0]], [-0.5, 1.0], rtol=1e-6)
    wide = state_bounds(cell, parameters, StateBounds(np.array([-3.0]), np.array([1.5])))
    np.testing.assert_allclose([wide.low[0], wide.high[0]], [-3.0, 1.5])


def test_the_center_gives_way_to_a_potential_that_no_pair_has():
    """0.4 % of the greatest potential: as far from 0 as from 1/127."""
    erev, d, target = np.array([-1.0, 1.0, 0.004]), np.ones(3), np.zeros(3, dtype=np.int64)
    cell, parameters = one_neuron(sensory_erev=erev)
    offset = best_offset(cell, parameters, StateBounds(np.full(1, -1.0), np.ones(1)))
    errors = []
    for center in (0.0, offset[0]):
        n = erev - center
        gain, n_step, _ = integer_pairs(n, d, target, 1)
        errors.append(np.abs(np.rint(n / gain / n_step) * n_step * gain - n).max())
    assert errors[0] > 3e-3
    assert errors[1] < errors[0] / 5


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.one_of(st.none(), st.floats(1e-3, 1.0)))
def test_every_tensor_of_the_unit_form_stays_within_its_proof(seed, share):
    """With the proved greatest conductances, and with smaller ones at which the membrane saturates."""
    built = random_ltc(seed)
    coordinates, program = unit_program(built, share)
    seen = {}

    def check(name, values):
        proved = program.proved[name]  # of an LTC everything is proved but what is done with its outputs
        if proved.saturates:
            values = np.clip(values, proved.low, proved.high)
        assert values.min() >= proved.low - ROUNDING, name
        assert values.max() <= proved.high + ROUNDING, name
        seen[name] = values
        return values

    rng, batch = np.random.default_rng(seed), ProgramBatch(program, check)
    observation, dt, state = fractions(built, coordinates, rng, 40)
    for _ in range(3):
        _, state = batch.step(observation, dt, state)
        for index in range(built.cell.unfolds):
            prefix = f"ltc.unfold_{index}"
            # Sums that saturate one by one may draw the state beyond its bounds, where it saturates itself.
            blended = ("numerator_gain", "numerator") if built.cell.solver == "fused" else ()
            for name in ("numerator_all", *blended) if share is None else ():
                denominator = seen[f"{prefix}.{name.replace('numerator', 'denominator')}"]
                assert (np.abs(seen[f"{prefix}.{name}"]) <= denominator + ROUNDING).all()
        observation, dt, _ = fractions(built, coordinates, rng, 40)


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_with_the_proved_conductance_nothing_is_cut_but_what_is_flat_beyond(seed):
    built = random_ltc(seed)
    coordinates, program = unit_program(built)
    rng = np.random.default_rng(seed)

    def check(name, values):
        proved = program.proved[name]
        if name.endswith(("pre_activation", ".decay")) or name == "readout.action":
            return np.clip(values, proved.low, proved.high)
        assert (np.abs(values) <= proved.magnitude + ROUNDING).all(), name
        return values

    ProgramBatch(program, check).step(*fractions(built, coordinates, rng, 40))


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_both_forms_of_random_ltcs_are_the_reference(seed):
    built = random_ltc(seed)
    with pytest.MonkeyPatch.context() as patch:
        # Where a sigmoid saturates, 1e-7 of a strong synapse leaks on, and a weak leak would show it.
        patch.setattr(ltc_synapses, "SIGMOID_REACH", 1e9)
        patch.setattr(ltc_unit, "DISCOUNT_REACH", 1e9)
        coordinates, program = unit_program(built)
    rng = np.random.default_rng(seed)
    observations = rng.normal(size=(30, built.cell.inputs)) * 10.0 ** rng.uniform(-1, 4)
    spans = np.exp(rng.uniform(*np.log([built.timing.dt_min_s, built.timing.dt_max_s]), size=30))
    reference, floating = ReferenceStepper(built), ProgramBatch(lower_floating(built))
    saturated = {name for name, r in program.proved.items() if r.saturates and name != "readout.action"}
    unit = ProgramBatch(
        program,
        lambda n, v: np.clip(v, program.proved[n].low, program.proved[n].high) if n in saturated else v,
    )
    size = np.abs(np.concatenate([coordinates.state.center, coordinates.state.span])).max()
    for observation, dt in zip(observations, spans, strict=True):
        before = reference.state[None]
        reference.step(observation, float(dt))
        _, after = floating.step(observation[None], np.array([[dt]]), before)
        np.testing.assert_allclose(after[0], reference.state, rtol=0, atol=1e-10 * size)
        fraction = coordinates.observation.to_fraction(observation[None])
        _, after = unit.step(
            fraction, coordinates.dt.to_fraction(np.array([[dt]])), coordinates.state.to_fraction(before)
        )
        np.testing.assert_allclose(
            coordinates.state.to_raw(after[0]), reference.state, rtol=0, atol=1e-9 * size
        )


@settings(max_examples=25, deadline=None)
@given(SEEDS)
def test_sixteen_bits_never_divide_by_zero_nor_lose_the_state(seed):
    built = random_ltc(seed)
    try:
        plan = make_plan(built, (excitation(built, sequences=2, steps=12, seed=1),))
    except FormatRefusedError as refused:
        if refused.reason != "ill-conditioned":
            raise
        assume(False)
    program = lower_unit(built, plan.coordinates)
    assert plan.tensors[STATE_IN] == plan.tensors[program.outputs[STATE_OUT]]
    rng, batch = np.random.default_rng(seed), simulate16(program, plan.tensors, plan.dense)
    observation, dt, state = fractions(built, plan.coordinates, rng, 60)
    with np.errstate(all="raise", under="ignore"):
        for _ in range(4):
            tensors = batch.tensors(observation, dt, state)
            for name in program.sizes.keys() - program.constants.keys():
                codes = tensors[name] / plan.tensors[name].scale16
                np.testing.assert_array_equal(codes, np.rint(codes))
                assert codes.min(initial=0) >= -32768
                assert codes.max(initial=0) <= 32767
            for index in range(built.cell.unfolds):
                assert (tensors[f"ltc.unfold_{index}.denominator"] > 0).all()
            state = tensors[program.outputs[STATE_OUT]]
            codes = codes16(state, plan.tensors[program.outputs[STATE_OUT]])
            np.testing.assert_array_equal(codes * plan.tensors[STATE_IN].scale16, state)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_no_input_makes_a_conductance_greater(seed):
    built = random_ltc(seed)
    p = effective_parameters(built.cell, built.parameters)
    greatest = greatest_conductance(built.cell, built.parameters)
    expected = p["gleak"].copy()
    for neuron in range(built.cell.units):
        expected[neuron] += p["w"][built.cell.wiring.synapses[:, 1] == neuron].sum()
        expected[neuron] += p["sensory_w"][built.cell.wiring.sensory_synapses[:, 1] == neuron].sum()
    np.testing.assert_allclose(greatest, expected, rtol=1e-6)
    proved = coordinates_of(built).conductance
    assert (proved >= greatest / 2).all()
    np.testing.assert_array_equal(coordinates_of(built, share=1e6).conductance, proved)


@settings(max_examples=100, deadline=None)
@given(SEEDS, st.integers(1, 60), st.integers(1, 8), st.floats(0.01, 6))
def test_integer_pairs_are_whole_and_reproduce_both_weights(seed, synapses, units, decades):
    rng = np.random.default_rng(seed)
    target = rng.integers(0, units, size=synapses)
    d = 10.0 ** rng.uniform(-decades, 0, size=synapses)
    potential = rng.uniform(-1, 1, size=synapses)
    gain, n_step, d_step = integer_pairs(d * potential, d, target, units)
    assert (gain > 0).all()
    assert (gain <= 1 + 1e-12).all()
    integers_d = np.rint(d / gain / d_step[target])
    integers_n = np.rint(d * potential / gain / n_step[target])
    np.testing.assert_allclose(integers_d * d_step[target] * gain, d, rtol=1e-12)
    assert (np.abs(integers_d) <= 127).all()
    assert (np.abs(integers_n) <= 127).all()
    reproduced = integers_n * n_step[target] * gain / d
    # No synapse worse than a numerator rounded to the nearest of 64 steps; by weight far better.
    assert np.abs(reproduced - potential).max() <= 0.5 / 64
    assert np.sqrt(np.mean(d**2 * (reproduced - potential) ** 2) / np.mean(d**2)) <= 3e-3


def test_integer_pairs_keep_potentials_to_a_thousandth():
    """On average over networks; rounding to the nearest of 64 to 127 steps would leave about 3e-3."""
    errors = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        target, d = rng.integers(0, 8, size=60), rng.uniform(0.001, 1, size=60)
        potential = rng.uniform(-1, 1, size=60)
        gain, n_step, _ = integer_pairs(d * potential, d, target, 8)
        errors.append(np.rint(d * potential / gain / n_step[target]) * n_step[target] * gain / d - potential)
    assert np.sqrt(np.mean(np.square(errors))) <= 3e-4


def test_a_synapse_that_conducts_nothing_has_no_gain():
    gain, n_step, d_step = integer_pairs(
        np.array([0.0, 0.3]), np.array([0.0, 0.5]), np.array([0, 1]), units=3
    )
    assert gain[0] == 0
    assert 0 < gain[1] <= 1
    assert (n_step > 0).all()
    assert (d_step > 0).all()


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_bounds_of_explicit_solvers_are_refused(solver):
    built = random_ltc(1)
    cell = LTCSpec(built.cell.wiring, solver=solver)
    with pytest.raises(FormatRefusedError) as refused:
        state_bounds(cell, built.parameters, StateBounds(built.initial_state, built.initial_state))
    assert refused.value.reason == "explicit-solver"
