"""A replicate that takes a second: the tiny task, a few updates on few windows."""

from __future__ import annotations

import pytest

from ltc_edge.sweep import workshop
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.work import Work
from ltc_edge.training.sources import TaskSource

SETTINGS = {"cell": "ltc", "units": 4, "wiring": "dense", "unfolds": 1, "format": "c-int16"}


@pytest.fixture
def here(tiny_folder, monkeypatch):
    """Where the tiny task can be found."""
    monkeypatch.chdir(tiny_folder)
    yield
    workshop.load.cache_clear()


@pytest.fixture
def work(here):
    """Work on the tiny task: what is said of its plan, and of the work itself."""

    def make(settings=(), *, giving_up=None, confirm=False, training=None, **said):
        training = {"rounds": 2, "episodes": 2, "batch": 4} | (training or {})
        plan = MeasurementPlan(TaskSource("tiny_task:Lag"), training, **({"objectives": ("return",)} | said))
        return Work(0, 0, SETTINGS | dict(settings), plan.to_json(), giving_up or {}, confirm)

    return make
