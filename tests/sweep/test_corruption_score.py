"""Corruption in one figure."""

import pytest

from ltc_edge.evaluation.corruption.campaign import Campaign
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.evaluation.rollout import ZeroPolicy
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.sweep import corruption_score
from ltc_edge.sweep.performance import SEARCH_SEED
from ltc_edge.tasks import load_task


def test_the_score_is_the_mean_of_the_areas_that_evaluate_gives(here, tiny_controller, monkeypatch):
    assert set(corruption_score.KINDS) <= set(PACK.names)
    monkeypatch.setattr(corruption_score, "EPISODES", 2)
    monkeypatch.setattr(corruption_score, "KINDS", ("noise", "delay"))
    task, controller = load_task("tiny_task:Lag"), tiny_controller()
    found = corruption_score.corruption_score(task, ReferenceBatch(controller))
    campaign = Campaign(task, ReferenceBatch(controller), range(SEARCH_SEED, SEARCH_SEED + 2))
    areas = [campaign.curve(kind).area.value for kind in corruption_score.KINDS]
    assert found == pytest.approx(sum(areas) / len(areas))
    assert corruption_score.corruption_score(task, ZeroPolicy(task)) < 0.05
