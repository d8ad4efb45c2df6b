"""In what turns workers take the tests: by module, or folder, and what takes longest first.

A worker makes a module's fixtures for itself: whoever has begun with a module goes on with it. What takes
minutes begins first, so that no worker is left alone with it at the end.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = (
    "tests/assurance/test_methods.py",
    "tests/runtimes/test_litert_file.py",
    "tests/training/test_figures.py",
)
"""Long tests that share nothing: each is a turn of its own."""

LONGEST = (
    "tests/export/c/",
    "tests/sweep/engines/",
    "tests/training/test_figures.py",
    "tests/export/test_onnx_integer.py",
    "tests/profiling/test_aarch64.py",
    "tests/runtimes/test_litert_file.py",
    "tests/assurance/",
    "tests/training/",
    "tests/cli/",
    "tests/bundle/",
    "tests/export/",
    "tests/evaluation/",
    "tests/kernels/",
    "tests/tools/",
)
"""What is begun first, in this order."""

SHARED = ("tests/export/c/packaging/", "tests/export/litert/")
"""Folders whose fixtures take longer than their tests: each is one turn."""


def turn_of(test: str) -> str:
    """The turn that a test is part of."""
    if test.startswith(ALONE):
        return test
    folder = next((folder for folder in SHARED if test.startswith(folder)), None)
    return folder or test.split("::", 1)[0]


def place_of(turn: str) -> int:
    """How many kinds of turns begin before this one."""
    return next((place for place, start in enumerate(LONGEST) if turn.startswith(start)), len(LONGEST))


class Turns(LoadScopeScheduling):
    """Each worker takes the next turn when it has all but ended its own."""

    @classmethod
    def for_xdist(cls, config: pytest.Config, log: object) -> Turns:
        """Over tests in the order of `in_turns`, which xdist would change."""
        config.option.loadscopereorder = False
        return cls(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return turn_of(nodeid)


def in_turns(items: list[pytest.Item]) -> None:
    """Sort what was collected; what is alike stays in its order."""
    items.sort(key=lambda item: place_of(turn_of(item.nodeid)))
