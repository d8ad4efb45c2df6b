"""What cuts cost, what is said of it, and when a loss counts as none."""

import numpy as np
import pytest

from ltc_edge.evaluation.inspection.arena import ClosedLoop
from ltc_edge.evaluation.inspection.comparison import compare
from ltc_edge.evaluation.inspection.effects import MATERIAL, cut_effects, effect_of
from ltc_edge.evaluation.inspection.inspection import inspect_recordings
from ltc_edge.evaluation.inspection.means import means_of
from ltc_edge.evaluation.inspection.parts import Kind, Part, parts_of
from ltc_edge.evaluation.inspection.removal import without_synapses
from ltc_edge.evaluation.visited import visited_in_closed_loop
from ltc_edge.logs import load_dataset
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks import make_task

PART = Part(Kind.NEURON, 0, "inter 0", "inter")


@pytest.fixture(scope="module")
def task(tiny_folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tiny_folder)
        patch.syspath_prepend(str(tiny_folder))
        return make_task("tiny_task:Lag", "positions")


def test_each_cut_is_played_on_the_same_seeds(task, tiny_controller, monkeypatch):
    controller, seeds = tiny_controller(), range(4)
    visited, _ = visited_in_closed_loop(task, controller, seeds)
    means, arena = means_of(controller, visited), ClosedLoop(task, seeds)
    parts = parts_of(controller)
    monkeypatch.setattr("ltc_edge.evaluation.inspection.effects.ROWS", 12)  # three cuts at once
    effects = cut_effects(arena, controller, means, parts)
    assert [effect.part for effect in effects.effects] == list(parts)
    np.testing.assert_array_equal(effects.whole, arena.play(ReferenceBatch(controller))[0])
    synapses = effects.of(Kind.SYNAPSE)
    for effect in synapses[::4]:
        removed = np.arange(len(synapses)) == effect.part.index
        alone = arena.play(ReferenceBatch(without_synapses(controller, removed, means.synapse)))[0]
        assert effect.lost == pytest.approx((effects.whole - alone).mean(), abs=1e-6)  # of float32


@pytest.mark.parametrize(
    ("lost", "verdict"),
    [([0.0] * 9, "free"), ([0.4] * 9, "free"), ([60.0] * 9, "costs"), ([90.0] + [0.0] * 8, "unclear")],
)
def test_a_loss_that_matters_is_shown_or_excluded_or_neither(lost, verdict):
    assert effect_of(PART, np.array(lost), gain=0.5 / MATERIAL).verdict == verdict


def test_without_a_gain_there_is_no_share():
    effect = effect_of(PART, np.full(5, 3.0), gain=-1.0)
    assert effect.share is None
    assert effect.verdict == "costs"


def test_the_margin_is_what_luck_may_do():
    before = np.random.default_rng(0).normal(100.0, 1.0, 200)
    luck = compare(before, before, gain=100.0)
    assert luck.kept
    assert luck.margin == pytest.approx(1.96 / np.sqrt(200), rel=0.2)
    assert compare(before, before, gain=1.0).margin == pytest.approx(MATERIAL)
    assert compare(before, before - 0.9 * luck.margin, gain=100.0).kept
    assert not compare(before, before - 1.1 * luck.margin, gain=100.0).kept
    assert compare(before, before - 1.1 * luck.margin, gain=100.0, tolerance=0.01).kept
    one_failed = before - 90.0 * (np.arange(200) == 7)
    assert not compare(before, one_failed, gain=100.0).kept


def test_recordings_are_scored_a_window(tiny_controller, tmp_path):
    rng = np.random.default_rng(0)
    rows = np.cumsum(rng.normal(size=(900, 3)), axis=0) * 0.05
    text = "\n".join(["target,level,drive", *(",".join(f"{value:.6f}" for value in row) for row in rows)])
    (tmp_path / "log.csv").write_text(text + "\n")
    data = load_dataset((str(tmp_path / "log.csv"),), "target,level", "drive", period_s=0.02)
    inspection = inspect_recordings(data, tiny_controller(), kinds=(Kind.OBSERVATION,))
    assert inspection.arena.score == "minus the mean squared error"
    assert (inspection.effects.whole <= 0).all()
    assert len(inspection.effects.effects) == 2
