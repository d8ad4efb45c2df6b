"""What is held transmits its mean and nothing else, in every cell."""

import numpy as np
import pytest

from ltc_edge.evaluation.inspection.held import NOTHING, HeldBatch, Holds, holds
from ltc_edge.evaluation.inspection.means import means_of
from ltc_edge.evaluation.inspection.parts import (
    Kind,
    neurons_of,
    observations_of,
    parts_of,
    state_columns,
    synapses_of,
)
from ltc_edge.evaluation.inspection.removal import without_synapses
from ltc_edge.runtimes.reference import ReferenceBatch, sigmoid

ROWS = 8


def test_where_nothing_is_held_it_is_the_reference(controller, actions_of, visited_of):
    wanted = actions_of(ReferenceBatch(controller))
    nothing = holds(controller, means_of(controller, visited_of(controller)), [None], ROWS)
    for held in (nothing, Holds(NOTHING, NOTHING, NOTHING)):
        np.testing.assert_allclose(actions_of(HeldBatch(controller, held)), wanted, atol=1e-12)


def test_of_a_held_neuron_nothing_gets_out_but_its_mean(controller, actions_of, visited_of):
    means, rng = means_of(controller, visited_of(controller)), np.random.default_rng(2)
    states = np.tile(controller.reset_state, (ROWS, 1))
    for part, column in zip(neurons_of(controller), state_columns(controller.cell), strict=True):
        kicked = states.copy()
        kicked[:, column] += rng.normal(size=ROWS)
        batch = HeldBatch(controller, holds(controller, means, [part], ROWS))
        held = actions_of(batch, state=states)
        np.testing.assert_array_equal(actions_of(batch, state=kicked), held)
        np.testing.assert_array_equal(batch.state[:, column], means.state[column])
        if part.role == "motor" and not controller.cell.kind.startswith("mixed"):
            assert np.ptp(held) == 0.0  # its mean is all that the action is made of
            continue
        free = HeldBatch(controller, Holds(NOTHING, NOTHING, NOTHING))
        assert np.abs(actions_of(free, state=kicked) - actions_of(free, state=states)).max() > 1e-9


def test_of_a_held_observation_nothing_gets_in_but_its_mean(controller, actions_of, visited_of, sequence):
    means = means_of(controller, visited_of(controller))
    for part in observations_of(controller):
        other = sequence[0].copy()
        other[..., part.index] = np.random.default_rng(3).normal(size=other.shape[:2])
        fixed = sequence[0].copy()
        fixed[..., part.index] = means.observation[part.index]
        batch = HeldBatch(controller, holds(controller, means, [part], ROWS))
        np.testing.assert_array_equal(actions_of(batch), actions_of(batch, other))
        np.testing.assert_allclose(
            actions_of(batch), actions_of(ReferenceBatch(controller), fixed), atol=1e-12
        )


@pytest.mark.parametrize("name", ["ltc", "ltc-rk4", "ltc-clamp", "mixed"])
def test_a_held_synapse_is_one_that_was_left_to_the_leak(controller_of, name, actions_of, visited_of):
    controller = controller_of(name)
    means = means_of(controller, visited_of(controller))
    synapses = [part for part in parts_of(controller) if part.kind is Kind.SYNAPSE]
    for part in synapses[:: max(len(synapses) // 6, 1)]:
        removed = np.arange(len(synapses)) == part.index
        alone = without_synapses(controller, removed, means.synapse)
        held = HeldBatch(controller, holds(controller, means, [part], ROWS))
        np.testing.assert_allclose(actions_of(held), actions_of(ReferenceBatch(alone)), atol=1e-11)


def test_a_held_neuron_of_an_ltc_is_one_whose_synapses_are_constant(controller_of, actions_of, visited_of):
    controller = controller_of("ltc")
    means, synapses = means_of(controller, visited_of(controller)), synapses_of(controller.cell)
    part = next(part for part in neurons_of(controller) if part.role == "command")
    own = (synapses.source == part.index) & (np.arange(len(synapses)) >= synapses.sensory)
    sigma, mu = (controller.parameters[name] for name in ("sigma", "mu"))
    constant = np.zeros(len(synapses))
    constant[synapses.sensory :] = sigmoid(sigma * (means.state[part.index] - mu))
    cut = without_synapses(controller, own, constant)
    held = HeldBatch(controller, holds(controller, means, [part], ROWS))
    np.testing.assert_allclose(actions_of(held), actions_of(ReferenceBatch(cut)), atol=1e-11)


def test_rows_are_cut_each_on_its_own(controller_of, actions_of, visited_of, sequence):
    controller = controller_of("ltc")
    means = means_of(controller, visited_of(controller))
    cut = [None, *parts_of(controller)[::5]]
    together = HeldBatch(controller, holds(controller, means, cut, ROWS))
    together.reset(ROWS * len(cut))
    seen, dt_s = sequence
    for t in range(seen.shape[1]):
        action = together.step(np.tile(seen[:, t], (len(cut), 1)), np.tile(dt_s[:, t], len(cut)))
    for row, part in enumerate(cut):
        alone = actions_of(HeldBatch(controller, holds(controller, means, [part], ROWS)))[:, -1]
        np.testing.assert_allclose(action[row * ROWS : (row + 1) * ROWS], alone, atol=1e-12)
