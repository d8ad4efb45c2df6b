"""What is played for practice: failed episodes come again, and more are played where failures are rare."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.evaluation.rollout import Episodes
from ltc_edge.training import collection
from ltc_edge.training.collection import TUNING_SEED, CollectionOptions, Collector
from ltc_edge.training.practice import WINDOW, Teacher

OPTIONS = CollectionOptions(least=4, most=64, least_steps=8 * WINDOW, steps=WINDOW, kept=8)


class World:
    """Episodes of return −1, or −1 − `loss` where the student plays a seed of `fails`."""

    def __init__(self, monkeypatch):
        self.fails, self.loss = set(), 0.5
        self.played = {"teacher": [], "student": []}
        monkeypatch.setattr(collection, "closed_loop", self.play)

    def play(self, task, policy, seeds, steps):
        del task
        player = policy if policy == "student" else "teacher"
        self.played[player].append(list(seeds))
        lost = [self.loss if policy == "student" and seed in self.fails else 0.0 for seed in seeds]
        size = len(lost)
        reward = np.zeros((size, steps))
        reward[:, 0] = -1.0 - np.array(lost)
        seen = np.broadcast_to(np.array(list(seeds), dtype=float)[:, None, None], (size, steps, 2))
        blank = np.zeros((size, steps, 1))
        times = np.full((size, steps), 0.05)
        return Episodes(seen, times, blank, blank, blank, reward, np.full(size, steps))


@pytest.fixture
def world(monkeypatch):
    return World(monkeypatch)


@pytest.fixture
def collect(tiny_controller):
    collector = Collector(SimpleNamespace(max_steps=WINDOW), Teacher(tiny_controller()), OPTIONS, seed=0)
    student, rng = SimpleNamespace(policy=lambda: "student"), np.random.default_rng(0)
    return lambda: collector.collect(student, rng)


def seeds_of(lesson):
    return (lesson.sequences.observation[:, 0, 0] - TUNING_SEED).astype(int).tolist()


def test_failed_episodes_come_again_until_they_are_mastered(world, collect):
    world.fails = {TUNING_SEED + 3}
    collect()
    collect()
    assert world.played["student"][1][-1] == TUNING_SEED + 3
    assert TUNING_SEED + 3 not in world.played["teacher"][1]
    world.fails = set()
    collect()
    collect()
    assert TUNING_SEED + 3 in world.played["student"][2]
    assert TUNING_SEED + 3 not in world.played["student"][3]


def test_more_are_played_where_failures_are_rare_and_fewer_where_there_are_none_or_many(world, collect):
    world.fails = {TUNING_SEED + 1, *range(TUNING_SEED + 48, TUNING_SEED + 60)}
    for _ in range(6):
        collect()
    assert [len(seeds) for seeds in world.played["teacher"]] == [16, 32, 16, 8, 8, 8]
    flat = [seed for seeds in world.played["teacher"] for seed in seeds]
    assert flat == list(range(TUNING_SEED, TUNING_SEED + 88))


def test_what_was_failed_is_kept_and_practised_most(world, collect):
    world.fails = {TUNING_SEED + 5, TUNING_SEED + 9}
    own, theirs = collect()
    for lesson in (own, theirs):
        assert lesson.kind == "loop"
        emphasis = dict(zip(seeds_of(lesson), lesson.emphasis.tolist(), strict=True))
        assert emphasis.pop(5) == emphasis.pop(9) == 11.0  # half of the mean return is lost
        assert set(emphasis.values()) == {1.0}
        assert len(emphasis) <= OPTIONS.kept
