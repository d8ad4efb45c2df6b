"""Small runs: they learn little, and go through everything a long one does."""

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.training.options import (
    ImitationOptions,
    ModelOptions,
    PredictionOptions,
    RefinementOptions,
)


class Silent:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.records = []
        self.completed = None

    def begin(self, _rounds, completed):
        self.completed = completed

    def tick(self, _index, share):
        assert 0.0 <= share <= 1.0

    def record(self, record):
        self.records.append(record)


@pytest.fixture
def silent():
    return Silent()


@pytest.fixture(scope="session")
def small_model():
    return ModelOptions(units=5, wiring="dense", unfolds=2)


@pytest.fixture(scope="session")
def small_imitation():
    return ImitationOptions(
        rounds=4, updates=6, batch=16, window=8, burn_in=2, episodes=6, episode_steps=30,
        validation_episodes=4, validate_every=2,
    )  # fmt: skip


@pytest.fixture(scope="session")
def small_prediction():
    return PredictionOptions(epochs=4, batch=8)


@pytest.fixture(scope="session")
def small_refinement():
    return RefinementOptions(generations=4, population=5, episodes=3)
