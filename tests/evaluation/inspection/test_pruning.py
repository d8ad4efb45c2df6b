"""Pruning keeps what the loop needs, and judges on what it has not searched on."""

import sys
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.evaluation.inspection import ground, pruning
from ltc_edge.evaluation.inspection.ground import PRUNING_SEED, ground_of_task
from ltc_edge.evaluation.inspection.importance import importance
from ltc_edge.evaluation.inspection.means import means_of
from ltc_edge.evaluation.inspection.parts import synapses_of
from ltc_edge.evaluation.inspection.pruning import prune
from ltc_edge.evaluation.inspection.removal import without_synapses
from ltc_edge.runtimes.reference import ReferenceBatch

TOOLS = Path(__file__).parents[3] / "tools"


@pytest.fixture
def planted(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])
    from inspection_bench.planted import planted_network

    return planted_network(0)


def test_decoys_go_and_the_planted_path_stays(planted, monkeypatch):
    monkeypatch.setattr(ground, "SEARCHED", 16)
    monkeypatch.setattr(pruning, "PATIENCE", 1)
    seeds_played = []
    task = planted.task
    make = task.make_plants

    def watched():
        plants = make()
        reset = plants.reset
        plants.reset = lambda seeds: seeds_played.append(list(seeds)) or reset(seeds)
        return plants

    task.make_plants = watched
    found = prune(planted.controller, ground_of_task(task, 40, 7))
    before, after = found.synapses
    assert after <= 0.4 * before
    assert found.comparison.kept
    wiring = found.after.cell.wiring
    assert planted.observation in np.flatnonzero(wiring.sensory.any(axis=1))
    assert wiring.recurrent[:, 0].any()
    verified = [seeds for seeds in seeds_played if seeds[0] < PRUNING_SEED]
    searched = [seeds for seeds in seeds_played if seeds[0] >= PRUNING_SEED]
    assert verified[0] == list(range(7, 47))
    assert len(searched) > 5
    assert not {s for seeds in verified for s in seeds} & {s for seeds in searched for s in seeds}


@pytest.mark.parametrize("name", ["ltc", "cfc-wired"])
def test_importance_is_what_removal_does_to_the_last_action(controller_of, visited_of, name):
    controller = controller_of(name)
    visited = visited_of(controller)
    means = means_of(controller, visited)
    found = importance(controller, visited, means)
    assert found.shape == (len(synapses_of(controller.cell)),)

    def last(of):
        batch = ReferenceBatch(of)
        batch.state = visited.state[:, 0]
        for t in range(visited.dt_s.shape[1]):
            action = batch.step(visited.observation[:, t], visited.dt_s[:, t])
        return action / controller.denormalizer.scale

    for k in range(0, len(found), 7):
        without = without_synapses(controller, np.arange(len(found)) == k, means.synapse)
        changed = np.sqrt(((last(without) - last(controller)) ** 2).mean())
        assert found[k] == pytest.approx(changed, abs=1e-10)
