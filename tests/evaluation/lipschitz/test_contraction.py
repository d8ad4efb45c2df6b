import numpy as np
import pytest

from ltc_edge import wiring
from ltc_edge.cells import CTRNNSpec, LTCSpec
from ltc_edge.evaluation.lipschitz.bracket import steps_of
from ltc_edge.evaluation.lipschitz.contraction import contraction_everywhere, contraction_near
from ltc_edge.evaluation.lipschitz.proved import proved
from ltc_edge.evaluation.visited import Visited
from ltc_edge.runtimes.reference import ReferenceBatch


def recurrent(tiny_controller, weights):
    size = len(weights)
    rng = np.random.default_rng(0)
    parameters = {
        "input_weight": rng.normal(size=(size, 2)),
        "recurrent_weight": np.asarray(weights, dtype=np.float64),
        "bias": np.zeros(size),
        "tau": np.zeros(size),
        "readout_weight": np.ones((1, size)),
        "readout_bias": np.zeros(1),
    }
    return tiny_controller(cell=CTRNNSpec(2, size), parameters=parameters, initial_state=np.zeros(size))


def shrunk(controller, observation, one, other):
    """How the greatest difference of two states changes in 30 steps of equal readings."""
    batch = ReferenceBatch(controller)
    batch.state = np.stack([one, other])
    before = np.abs(batch.state[0] - batch.state[1]).max()
    for _ in range(30):
        batch.step(np.tile(observation, (2, 1)), np.full(2, 0.02))
    return np.abs(batch.state[0] - batch.state[1]).max() / before


def asked(controller, count=6):
    rng = np.random.default_rng(1)
    size = controller.cell.state_size
    return steps_of(
        controller,
        rng.normal(size=(count, 1, 2)),
        rng.uniform(-0.3, 0.3, size=(count, size)),
        np.full((count, 1), 0.02),
    )


def test_weak_recurrence_is_certified_and_does_contract(tiny_controller):
    # Strong one way round, weak the other: no norm without weights would show it.
    controller = recurrent(tiny_controller, [[0.2, 3.0], [0.05, 0.2]])
    everywhere = contraction_everywhere(controller)
    near = contraction_near(controller, asked(controller), 0.05, np.full(2, 0.05))
    assert everywhere.certified
    assert near.certified
    assert near.spectral_radius <= near.bound * (1 + 1e-9)
    seen = shrunk(controller, np.array([0.3, -0.2]), np.array([0.4, -0.8]), np.array([-0.6, 0.9]))
    weights = 60  # between the neurons, at most
    assert seen <= weights * everywhere.bound**30


def test_memory_is_not_certified_and_the_reason_is_seen(tiny_controller):
    controller = recurrent(tiny_controller, [[3.0, 0.0], [0.0, 0.2]])
    steps = steps_of(controller, np.array([[[0.0, 0.1]]]), np.zeros((1, 2)), np.full((1, 1), 0.02))
    near = contraction_near(controller, steps, 0.01, np.full(2, 0.01))
    assert not near.certified
    assert near.spectral_radius > 1.0
    assert not contraction_everywhere(controller).certified


def test_an_ltc_of_weak_synapses_contracts_whatever_it_sees(tiny_controller):
    controller = tiny_controller()
    strong = contraction_everywhere(controller)
    parameters = dict(controller.parameters)
    for name in ("w", "sigma"):
        parameters[name] = parameters[name] * 0.1 - (4.0 if name == "w" else 0.0)
    weak = tiny_controller(parameters=parameters)
    found = contraction_everywhere(weak)
    assert found.certified
    assert not strong.certified
    rng = np.random.default_rng(0)
    for _ in range(5):
        one, other = rng.uniform(-0.5, 0.5, size=(2, 8))
        assert shrunk(weak, rng.normal(size=2), one, other) < 1.0


def test_other_cells_and_solvers_say_that_nothing_is_shown(tiny_controller):
    rk4 = LTCSpec(wiring.auto_ncp(2, 8, 1, seed=3), solver="rk4", unfolds=4)
    assert "fused" in contraction_everywhere(tiny_controller(cell=rk4))


@pytest.fixture
def seen(tiny_controller):
    def play(controller):
        rng = np.random.default_rng(5)
        observation = rng.normal(size=(6, 40, 2)) * 3
        batch = ReferenceBatch(controller)
        batch.reset(6)
        states = []
        for t in range(40):
            states.append(batch.state)
            batch.step(observation[:, t], np.full(6, 0.02))
        shape = (6, 40)
        return Visited(
            observation,
            np.full(shape, 0.02),
            np.stack(states, 1),
            np.zeros((*shape, 1)),
            np.ones(shape, bool),
        )

    return play


def test_what_is_seen_is_within_what_is_proved(tiny_controller, seen):
    controller = tiny_controller()
    found = proved(controller, seen(controller))
    assert found.state.holds
    assert found.time_constant_s.holds
    assert (found.state.used > 0).all()
    assert (found.state.used <= 1).all()
    assert (found.time_constant_s.used > 0).all()
    assert (found.time_constant_s.used <= 1).all()
    # With every input saturated low, nothing but the leak conducts in a neuron of sensory synapses alone.
    assert (found.time_constant_s.low < found.time_constant_s.high).all()


def test_explicit_solvers_have_time_constants_and_no_states(tiny_controller, seen):
    controller = tiny_controller(cell=LTCSpec(wiring.auto_ncp(2, 8, 1, seed=3), solver="euler", unfolds=4))
    found = proved(controller, seen(controller))
    assert found.state is None
    assert found.time_constant_s.holds


def test_other_cells_have_no_theorems(tiny_controller, seen):
    controller = recurrent(tiny_controller, [[0.1]])
    assert "LTC" in proved(controller, seen(controller))


def test_a_turning_state_needs_the_norm_of_an_ellipse(tiny_controller):
    # Both neurons stretch in turn, but what they stretch has turned on before it comes round.
    controller = recurrent(tiny_controller, [[0.9, 3.0], [-0.6, -0.9]])
    near = contraction_near(controller, asked(controller), 0.01, np.full(2, 0.01))
    assert near.certified
    assert near.norm == "an ellipsoid's"
    assert not contraction_everywhere(controller).certified
