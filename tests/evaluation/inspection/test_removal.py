"""Controllers without some synapses: what was constant is not missed, and the proved bounds stay."""

import numpy as np
import pytest

from ltc_edge.controller_file import load_controller, save_controller
from ltc_edge.errors import InputError
from ltc_edge.evaluation.inspection.means import means_of
from ltc_edge.evaluation.inspection.parts import synapses_of
from ltc_edge.evaluation.inspection.removal import without_idle_neurons, without_synapses
from ltc_edge.runtimes.reference import ReferenceBatch, positivity

WITH_SYNAPSES = ["ltc", "ltc-rk4", "ltc-clamp", "cfc-wired", "cfc-pure", "mixed", "mixed-cfc"]


@pytest.fixture(params=WITH_SYNAPSES)
def wired(request, controller_of):
    return controller_of(request.param)


def test_a_synapse_whose_source_never_moves_is_not_missed(wired, actions_of, visited_of, sequence):
    still = sequence[0].copy()
    still[..., 1] = 0.7
    sequence[0][..., 1] = 0.7  # visited_of sees it too
    means, synapses = means_of(wired, visited_of(wired)), synapses_of(wired.cell)
    removed = (synapses.source == 1) & (np.arange(len(synapses)) < synapses.sensory)
    assert removed.any()
    without = without_synapses(wired, removed, means.synapse)
    assert len(synapses_of(without.cell)) == len(synapses) - removed.sum()
    assert without.parameters_effective() < wired.parameters_effective()
    wanted = actions_of(ReferenceBatch(wired), still)
    np.testing.assert_allclose(actions_of(ReferenceBatch(without), still), wanted, atol=1e-11)


def test_removing_twice_is_removing_at_once(wired, actions_of, visited_of):
    means, count = means_of(wired, visited_of(wired)), len(synapses_of(wired.cell))
    rng = np.random.default_rng(5)
    first, second = rng.random(count) < 0.3, rng.random(count) < 0.3
    at_once = without_synapses(wired, first | second, means.synapse)
    once = without_synapses(wired, first, means.synapse)
    twice = without_synapses(once, second[~first], means.synapse[~first])
    assert twice.cell == at_once.cell
    np.testing.assert_allclose(
        actions_of(ReferenceBatch(twice)), actions_of(ReferenceBatch(at_once)), atol=1e-11
    )


def test_it_can_be_saved_and_trained(wired, visited_of, tmp_path):
    from ltc_edge.network import Network

    means, count = means_of(wired, visited_of(wired)), len(synapses_of(wired.cell))
    without = without_synapses(wired, np.arange(count) % 2 == 0, means.synapse)
    save_controller(without, tmp_path / "pruned.safetensors")
    loaded = load_controller(tmp_path / "pruned.safetensors")
    assert loaded.cell == without.cell
    network = Network(loaded)
    network.constrain()  # masks what is no synapse
    for name, array in network.controller().parameters.items():
        np.testing.assert_array_equal(array, loaded.parameters[name], err_msg=name)


def test_leaks_stay_within_the_proved_bounds(controller_of, visited_of):
    controller = controller_of("ltc")
    means, synapses = means_of(controller, visited_of(controller)), synapses_of(controller.cell)
    without = without_synapses(controller, np.ones(len(synapses), dtype=bool), means.synapse)
    conductance, before = positivity(controller.cell), controller.parameters
    w = conductance(np.concatenate([before["sensory_w"], before["w"]]))
    erev = np.concatenate([before["sensory_erev"], before["erev"]])
    all_open = conductance(before["gleak"]) + np.bincount(synapses.target, w, controller.cell.units)
    gleak, vleak = conductance(without.parameters["gleak"]), without.parameters["vleak"]
    for neuron in range(controller.cell.units):
        pulls = [before["vleak"][neuron], *erev[synapses.target == neuron]]
        assert min(pulls) - 1e-12 <= vleak[neuron] <= max(pulls) + 1e-12
        assert conductance(before["gleak"])[neuron] - 1e-12 <= gleak[neuron] <= all_open[neuron] + 1e-12


@pytest.mark.parametrize("name", ["cfc", "ctrnn", "lstm", "gru"])
def test_cells_without_synapses_are_refused(controller_of, name):
    with pytest.raises(InputError, match="has no list of synapses"):
        without_synapses(controller_of(name), np.zeros(0, dtype=bool), np.zeros(0))


def test_idle_neurons_go_and_nothing_changes(controller_of, actions_of):
    controller = controller_of("ltc")
    cell = controller.cell
    heard = np.flatnonzero(cell.wiring.recurrent[:, 0])
    keep = int(heard[0])
    removed = np.zeros(len(synapses_of(cell)), dtype=bool)
    synapses = synapses_of(cell)
    recurrent = np.arange(len(synapses)) >= synapses.sensory
    removed[recurrent & (synapses.target == 0) & (synapses.source != keep)] = True
    pruned = without_synapses(controller, removed, np.full(len(synapses), 0.5))
    smaller = without_idle_neurons(pruned)
    assert smaller.cell.units < pruned.cell.units
    np.testing.assert_allclose(
        actions_of(ReferenceBatch(smaller)), actions_of(ReferenceBatch(pruned)), atol=1e-12
    )
    assert without_idle_neurons(smaller) is smaller
