"""Which replicate is next, and what becomes of one whose worker is lost."""

from __future__ import annotations

import pytest

from ltc_edge.sweep.board import MOST_LOST, SPARE, Board
from ltc_edge.sweep.engines.engine import Lost
from ltc_edge.sweep.work import Outcome, Work


class ByHand:
    """An engine whose work ends as the test says."""

    slots = 1

    def __init__(self):
        self.given, self.ended = [], []

    def submit(self, work):
        self.given.append(work)

    def wait(self, _=None):
        ended, self.ended = self.ended, []
        return ended


@pytest.fixture
def engine():
    return ByHand()


def works(trial, seeds=2, giving_up=None):
    return [Work(trial, seed, {}, {}, (giving_up or {}) if seed == 0 else {}) for seed in range(seeds)]


def names(engine):
    given, engine.given = engine.given, []
    return [(work.trial, work.seed) for work in given]


def end(board, engine, *ended):
    engine.ended = list(ended)
    return board.step()


def complete(trial, seed):
    return Outcome(trial, seed, "complete")


def test_older_trials_go_first(engine, tmp_path):
    board = Board(engine, tmp_path)
    for trial in (1, 0):
        board.add(works(trial))
    end(board, engine)
    assert names(engine) == [(0, 0), (0, 1), (1, 0)]
    assert len(names(engine)) + 3 == engine.slots + SPARE


def test_seeds_of_what_may_be_given_up_wait(engine, tmp_path):
    board = Board(engine, tmp_path)
    for trial in range(3):
        board.add(works(trial, giving_up={1: 0.5}))
    end(board, engine)
    assert names(engine) == [(0, 0), (1, 0), (2, 0)]
    end(board, engine, complete(0, 0))
    assert names(engine) == [(0, 1)]  # no longer at risk
    end(board, engine, Outcome(1, 0, "pruned"), complete(2, 0))
    assert names(engine) == [(2, 1)]  # of trial 1 nothing more is wanted
    assert board.decided(1) == (Outcome(1, 0, "pruned"),)


def test_lost_work_is_done_again_but_not_for_ever(engine, tmp_path):
    board = Board(engine, tmp_path)
    board.add(works(0, seeds=1))
    end(board, engine)
    for _ in range(MOST_LOST):
        (work,) = engine.given
        engine.given = []
        assert end(board, engine, Lost(work, "power")) == [Lost(work, "power")]
        assert board.decided(0) is None
    (work,) = engine.given
    end(board, engine, Lost(work, "power"))
    (outcome,) = board.decided(0)
    assert outcome.state == "failed"
    assert outcome.reason == f"lost {MOST_LOST + 1} times: power"


def test_what_lies_there_is_not_done_again(engine, tmp_path):
    (tmp_path / "0003").mkdir()
    complete(3, 0).write(tmp_path / "0003" / "seed-0.json")
    board = Board(engine, tmp_path)
    board.add(works(3))
    end(board, engine)
    assert names(engine) == [(3, 1)]


def test_what_comes_after_the_decision_is_dropped(engine, tmp_path):
    board = Board(engine, tmp_path)
    board.add(works(0))
    end(board, engine)
    end(board, engine, Outcome(0, 0, "failed"))
    assert board.decided(0) == (Outcome(0, 0, "failed"),)
    board.close(0)
    assert end(board, engine, complete(0, 1)) == []
    assert board.busy == 0
