"""The liquid time-constant cell: its theorems, its solvers' orders, its published sizes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="torch is not installed (extra: train)")
integrate = pytest.importorskip("scipy.integrate", reason="scipy is not installed (extra: train)")

from ltc_edge import wiring  # noqa: E402
from ltc_edge.cells import LTCSpec  # noqa: E402
from ltc_edge.cells.build import build_cell, load_cell_arrays  # noqa: E402
from ltc_edge.cells.ltc import MIN_CAPACITANCE  # noqa: E402
from ltc_edge.runtimes.reference import reference_cell, sigmoid, softplus  # noqa: E402

POSITIVITIES = ("softplus", "clamp")
BOUNDED = ("fused", "exponential")


def random_spec(rng, positivity, solver="fused", unfolds=6):
    inputs, outputs, hidden = int(rng.integers(1, 5)), int(rng.integers(1, 4)), int(rng.integers(3, 8))
    seed = int(rng.integers(2**31))
    circuit = (
        wiring.auto_ncp(inputs, outputs + hidden, outputs, sparsity=rng.uniform(0.1, 0.9), seed=seed)
        if rng.random() < 0.5
        else wiring.random(inputs, outputs + hidden, outputs, sparsity=rng.uniform(0, 0.9), seed=seed)
    )
    return LTCSpec(circuit, solver=solver, unfolds=unfolds, positivity=positivity, affine=False)


def random_parameters(rng, spec, spread=1.0):
    """Values far from the initial ones; only what clamp mode and the solver promise is kept."""
    values = {
        name: rng.normal(0.0, 10.0 ** rng.uniform(-1, 1) * spread, size=shape)
        for name, shape in spec.parameter_shapes().items()
    }
    if spec.positivity == "clamp":
        for name in ("w", "sensory_w", "cm", "gleak"):
            values[name] = np.maximum(values[name], 0.0)
        if spec.solver != "fused":
            values["cm"] = np.maximum(values["cm"], MIN_CAPACITANCE)
    return values


def usual_parameters(rng, spec):
    """Values as a trained cell has them: those of the initialisation, a little shaken."""
    shapes = spec.parameter_shapes()
    ranges = {"gleak": (0.001, 1), "vleak": (-0.2, 0.2), "cm": (0.4, 0.6)}
    for prefix in ("", "sensory_"):
        ranges |= {f"{prefix}w": (0.001, 1), f"{prefix}sigma": (3, 8), f"{prefix}mu": (0.3, 0.8)}
        ranges |= {f"{prefix}erev": (-1, 1)}
    return {name: rng.uniform(*ranges[name], size=shape) for name, shape in shapes.items()}


def torch_cell(spec, parameters):
    cell = build_cell(spec).double()
    load_cell_arrays(cell, parameters)
    return cell


def state_bounds(spec, parameters, v0):
    """Theorem 2 of the paper, a neuron: the hull of 0, v0, vleak and the reversal potentials it hears."""
    low, high = np.minimum(0.0, v0).min(axis=0), np.maximum(0.0, v0).max(axis=0)
    low, high = np.minimum(low, parameters["vleak"]), np.maximum(high, parameters["vleak"])
    for synapses, erev in (
        (spec.wiring.synapses, parameters["erev"]),
        (spec.wiring.sensory_synapses, parameters["sensory_erev"]),
    ):
        np.minimum.at(low, synapses[:, 1], erev)
        np.maximum.at(high, synapses[:, 1], erev)
    return low, high


@pytest.mark.parametrize("solver", BOUNDED)
@pytest.mark.parametrize("positivity", POSITIVITIES)
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    log_dt=st.floats(-4.0, 3.0),
    log_input=st.floats(-2.0, 4.0),
    unfolds=st.integers(1, 8),
)
def test_the_state_never_leaves_its_bounds(solver, positivity, seed, log_dt, log_input, unfolds):
    rng = np.random.default_rng(seed)
    spec = random_spec(rng, positivity, solver, unfolds)
    parameters = random_parameters(rng, spec)
    batch, steps = 3, 25
    v0 = rng.normal(size=(batch, spec.units))
    inputs = rng.uniform(-1, 1, size=(batch, steps, spec.inputs)) * 10.0**log_input
    timespans = 10.0**log_dt * rng.uniform(0.5, 2.0, size=(batch, steps))
    low, high = state_bounds(spec, parameters, v0)
    slack = 1e-12 * np.maximum(1.0, np.maximum(-low, high))

    cell = torch_cell(spec, parameters)
    reference = reference_cell(spec, parameters)
    state, v = torch.from_numpy(v0), v0
    with torch.no_grad():
        constants = cell.prepare()
        drives = cell.drive(constants, torch.from_numpy(inputs))
        for t in range(steps):
            span = timespans[:, t : t + 1]
            state = cell.step(constants, drives[:, t], state, torch.from_numpy(span))
            _, v = reference(inputs[:, t], v, span)
            for reached in (state.numpy(), v):
                assert (reached >= low - slack).all()
                assert (reached <= high + slack).all()


@pytest.mark.parametrize("solver", BOUNDED)
@pytest.mark.parametrize("positivity", POSITIVITIES)
@pytest.mark.parametrize("seed", range(4))
def test_float32_keeps_the_bounds_up_to_rounding(solver, positivity, seed):
    rng = np.random.default_rng(seed)
    spec = random_spec(rng, positivity, solver)
    parameters = random_parameters(rng, spec)
    v0 = np.zeros((2, spec.units))
    low, high = state_bounds(spec, parameters, v0)
    cell = torch_cell(spec, parameters).float()
    inputs = torch.from_numpy(rng.normal(0, 1e4, size=(2, 500, spec.inputs))).float()
    timespans = torch.from_numpy(10.0 ** rng.uniform(-4, 3, size=(2, 500))).float()
    slack = 1e-5 * np.maximum(1.0, np.maximum(-low, high))
    state = torch.zeros(2, spec.units)
    with torch.no_grad():
        constants = cell.prepare()
        drives = cell.drive(constants, inputs)
        for t in range(500):
            state = cell.step(constants, drives[:, t], state, timespans[:, t : t + 1])
            assert (state.numpy() >= low - slack).all()
            assert (state.numpy() <= high + slack).all()


@pytest.mark.parametrize("positivity", POSITIVITIES)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_time_constant_stays_within_theorem_1(positivity, seed):
    """tau_sys = cm / (gleak + Σ w·σ), from the activations a run really has."""
    rng = np.random.default_rng(seed)
    spec = random_spec(rng, positivity)
    parameters = usual_parameters(rng, spec)
    positive = softplus if positivity == "softplus" else np.asarray
    w, sensory_w = positive(parameters["w"]), positive(parameters["sensory_w"])
    cm, gleak = positive(parameters["cm"]), positive(parameters["gleak"])

    def onto(synapses, values):
        return np.bincount(synapses[:, 1], weights=values, minlength=spec.units)

    synapses, sensory = spec.wiring.synapses, spec.wiring.sensory_synapses
    lowest = cm / (gleak + onto(synapses, w) + onto(sensory, sensory_w))
    step = reference_cell(spec, parameters)
    v = np.zeros((1, spec.units))
    for x in rng.normal(0, 3, size=(30, 1, spec.inputs)):
        _, v = step(x, v, np.array([[rng.uniform(0.01, 3.0)]]))
        heard = sigmoid(parameters["sigma"] * (v[0, synapses[:, 0]] - parameters["mu"]))
        sensed = sigmoid(parameters["sensory_sigma"] * (x[0, sensory[:, 0]] - parameters["sensory_mu"]))
        tau = cm / (gleak + onto(synapses, w * heard) + onto(sensory, sensory_w * sensed))
        assert (tau >= lowest * (1 - 1e-12)).all()
        assert (tau <= cm / gleak * (1 + 1e-12)).all()


def exact_solution(spec, parameters, x, v0, time):
    """The ODE of the paper, written a synapse at a time, to 1e-13."""
    values = {name: np.asarray(value) for name, value in parameters.items()}
    for name in ("w", "sensory_w", "cm", "gleak"):
        values[name] = np.logaddexp(0.0, values[name]) if spec.positivity == "softplus" else values[name]

    def current(prefix, synapses, source, v):
        total = np.zeros(spec.units)
        for index, (j, i) in enumerate(synapses):
            sigma, mu = values[f"{prefix}sigma"][index], values[f"{prefix}mu"][index]
            conductance = values[f"{prefix}w"][index] / (1.0 + np.exp(-sigma * (source[j] - mu)))
            total[i] += conductance * (values[f"{prefix}erev"][index] - v[i])
        return total

    def derivative(_, v):
        total = values["gleak"] * (values["vleak"] - v)
        total = total + current("", spec.wiring.synapses, v, v)
        total = total + current("sensory_", spec.wiring.sensory_synapses, x, v)
        return total / values["cm"]

    solution = integrate.solve_ivp(derivative, (0.0, time), v0, method="DOP853", rtol=1e-12, atol=1e-13)
    return solution.y[:, -1]


@pytest.mark.parametrize("positivity", POSITIVITIES)
@pytest.mark.parametrize(
    ("solver", "order", "unfolds"),
    [
        ("fused", 1, (64, 128, 256, 512)),
        ("exponential", 1, (64, 128, 256, 512)),
        ("euler", 1, (64, 128, 256, 512)),
        ("rk4", 4, (8, 16, 32, 64)),
    ],
)
def test_the_error_falls_with_the_order_of_the_solver(solver, order, unfolds, positivity):
    """A fit of log error to log dt, against an adaptive integrator of order 8."""
    rng = np.random.default_rng(11)
    time, circuit = 1.5, wiring.auto_ncp(3, 8, 2, seed=4)
    parameters = usual_parameters(rng, LTCSpec(circuit, affine=False))
    x, v0 = rng.normal(size=3), rng.uniform(-0.5, 0.5, size=8)
    errors = {"torch": [], "reference": []}
    for count in unfolds:
        spec = LTCSpec(circuit, solver=solver, unfolds=count, positivity=positivity, affine=False)
        exact = exact_solution(spec, parameters, x, v0, time)
        with torch.no_grad():
            _, state = torch_cell(spec, parameters)(
                torch.from_numpy(x)[None, None],
                torch.from_numpy(v0)[None],
                torch.tensor([[time]], dtype=torch.float64),
            )
        _, v = reference_cell(spec, parameters)(x[None], v0[None], np.array([[time]]))
        errors["torch"].append(np.abs(state.numpy()[0] - exact).max())
        errors["reference"].append(np.abs(v[0] - exact).max())
    for error in errors.values():
        slope = np.polyfit(np.log(time / np.array(unfolds)), np.log(error), 1)[0]
        assert slope == pytest.approx(order, abs=0.1 * order)


@pytest.mark.parametrize("unfolds", [1, 5])
@pytest.mark.parametrize("time", [1e-4, 0.7, 1e3])
def test_exponential_euler_is_exact_where_conductances_do_not_change(unfolds, time):
    """With sigma = 0 every synapse is half open whatever the state, and the equation is linear."""
    rng = np.random.default_rng(5)
    spec = LTCSpec(wiring.auto_ncp(3, 8, 2, seed=4), "exponential", unfolds, "clamp", affine=False)
    parameters = usual_parameters(rng, spec)
    parameters["gleak"][0] = 0.0
    for prefix in ("", "sensory_"):
        parameters[f"{prefix}sigma"][:] = 0.0
    x, v0 = rng.normal(size=(1, 3)), rng.uniform(-0.5, 0.5, size=(1, 8))
    conductance, current = parameters["gleak"].copy(), parameters["gleak"] * parameters["vleak"]
    for prefix, synapses in (("", spec.wiring.synapses), ("sensory_", spec.wiring.sensory_synapses)):
        half = 0.5 * parameters[f"{prefix}w"]
        np.add.at(conductance, synapses[:, 1], half)
        np.add.at(current, synapses[:, 1], half * parameters[f"{prefix}erev"])
    rest = current / conductance
    exact = rest + (v0 - rest) * np.exp(-time * conductance / parameters["cm"])
    with torch.no_grad():
        _, state = torch_cell(spec, parameters)(
            torch.from_numpy(x)[None], torch.from_numpy(v0), torch.tensor([[time]], dtype=torch.float64)
        )
    _, v = reference_cell(spec, parameters)(x, v0, np.array([[time]]))
    for reached in (state.numpy(), v):
        # The solver's epsilon is a conductance of 1e-8 that the equation does not have.
        np.testing.assert_allclose(reached, exact, atol=1e-7)


def test_a_neuron_that_nothing_conducts_into_keeps_its_potential():
    """Without a conductance the rate is 0 over 0: neither the state nor its gradient may be lost to it."""
    spec = LTCSpec(wiring.auto_ncp(3, 8, 2, seed=4), "exponential", 3, "clamp", affine=False)
    parameters = usual_parameters(np.random.default_rng(5), spec)
    for name in ("gleak", "w", "sensory_w"):
        parameters[name][:] = 0.0
    cell = torch_cell(spec, parameters)
    start = torch.linspace(-1, 1, 8, dtype=torch.float64)[None].requires_grad_()
    _, state = cell(torch.ones(1, 1, 3, dtype=torch.float64), start)
    torch.testing.assert_close(state, start, rtol=1e-6, atol=0)
    state.sum().backward()
    assert all(value.grad.isfinite().all() for value in cell.parameters())
    np.testing.assert_allclose(start.grad, 1.0, rtol=1e-6)


def test_constrain_restores_what_clamp_mode_promises():
    spec = LTCSpec(wiring.dense(2, 4, 1), positivity="clamp")
    cell = build_cell(spec, torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.sub_(2.0)
    before = {name: value.detach().clone() for name, value in cell.named_parameters()}
    cell.constrain()
    for name, value in cell.named_parameters():
        expected = before[name].clamp(min=0) if name in ("w", "sensory_w", "cm", "gleak") else before[name]
        torch.testing.assert_close(value.detach(), expected, rtol=0, atol=0)


def test_initial_values_are_the_published_ones():
    circuit = wiring.dense(8, 24, 2)
    cell = build_cell(LTCSpec(circuit), torch.Generator().manual_seed(0))
    for prefix, polarity in (("", circuit.recurrent), ("sensory_", circuit.sensory)):
        for name, low, high in (("w", 0.001, 1.0), ("sigma", 3.0, 8.0), ("mu", 0.3, 0.8)):
            values = cell.get_parameter(prefix + name)
            assert low <= values.min() < low + 0.1 * (high - low)
            assert high - 0.1 * (high - low) < values.max() <= high
        erev = cell.get_parameter(f"{prefix}erev").detach().numpy()
        np.testing.assert_array_equal(erev, polarity[polarity != 0])
    for name, low, high in (("gleak", 0.001, 1.0), ("vleak", -0.2, 0.2), ("cm", 0.4, 0.6)):
        values = cell.get_parameter(name)
        assert low <= values.min() <= values.max() <= high
    assert [float(cell.get_parameter(name).mean().detach()) for name in ("input_w", "input_b")] == [1, 0]
    assert [float(cell.get_parameter(name).mean().detach()) for name in ("output_w", "output_b")] == [1, 0]


def test_neurons_without_synapses_only_leak():
    nothing = wiring.Wiring("custom", np.zeros((1, 2)), np.zeros((2, 2)), (wiring.Role.MOTOR,) * 2)
    spec = LTCSpec(nothing, affine=False, positivity="clamp", unfolds=400)
    values = {"gleak": np.array([0.5, 0.25]), "vleak": np.array([0.2, -0.1]), "cm": np.array([0.5, 1.0])}
    parameters = {name: np.zeros(shape) for name, shape in spec.parameter_shapes().items()} | values
    cell = torch_cell(spec, parameters)
    with torch.no_grad():
        output, _ = cell(torch.zeros(1, 1, 1, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64))
    exact = values["vleak"] + (1.0 - values["vleak"]) * np.exp(-values["gleak"] / values["cm"])
    np.testing.assert_allclose(output[0, 0], exact, atol=1e-3)


def test_published_counts():
    published = wiring.ncp(
        64,
        inter=12,
        command=6,
        motor=1,
        sensory_fanout=6,
        inter_fanout=4,
        recurrent_command_synapses=4,
        motor_fanin=6,
    )
    spec = LTCSpec(published)
    assert spec.parameters_dense() == 6495
    synapses = len(published.synapses) + len(published.sensory_synapses)
    assert spec.parameters_effective() == 4 * synapses + 3 * 19 + 2 * 64 + 2 * 1
    cell = build_cell(spec)
    assert sum(value.numel() for value in cell.parameters()) == spec.parameters_effective()
