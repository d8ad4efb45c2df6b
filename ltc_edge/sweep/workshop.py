"""What a worker process keeps from one replicate to the next: tasks and recordings, loaded once.

Loading may import a simulator, solve for an expert or read gigabytes; a trial must not pay for it again.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ltc_edge.logs import Dataset
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.sources import ClosedLoopSource, Source

KEPT = 2
"""A process works for one sweep, and perhaps for another after it."""


@lru_cache(maxsize=KEPT)
def load(source: Source) -> Any:
    """What ``source.load()`` gives: a task, or recordings with their units.

    Raises:
        LtcEdgeError: it cannot be loaded.
    """
    return source.load()


def task_or_data(source: Source) -> Task | Dataset:
    """The task or the recordings of ``source``.

    Raises:
        LtcEdgeError: they cannot be loaded.
    """
    loaded = load(source)
    found: Task | Dataset = loaded if isinstance(source, ClosedLoopSource) else loaded[0]
    return found
