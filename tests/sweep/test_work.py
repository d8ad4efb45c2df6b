"""Outcomes of replicates as files: what is read is what was written, and nothing else is."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ltc_edge.errors import ControllerFileError
from ltc_edge.sweep.work import Outcome, Work

WORK = Work(7, 1, {}, {})
OUTCOME = Outcome(7, 1, "complete", {"return": 3.5}, ((1, 2.0), (2, 3.0)), None, {"train": 1.25})


def test_what_is_written_is_read(tmp_path):
    OUTCOME.write(tmp_path / "seed-1.json")
    assert Outcome.read(tmp_path / "seed-1.json", WORK) == OUTCOME


@pytest.mark.parametrize(
    "change",
    [
        {"trial": 8},
        {"seed": 0},
        {"trial": float("inf")},
        {"state": "done"},
        {"figures": {"return": float("nan")}},
        {"figures": {"return": "3"}, "seconds": {"train": float("inf")}},
        {"figures": [3.5]},
        {"curve": [[1, float("-inf")]]},
        {"curve": [1]},
    ],
)
def test_what_is_not_of_this_replicate_is_refused(tmp_path, change):
    path = tmp_path / "seed-1.json"
    path.write_text(json.dumps({**dataclasses.asdict(OUTCOME), **change}))
    with pytest.raises(ControllerFileError, match="remove it, and the replicate is done again"):
        Outcome.read(path, WORK)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\x00", b"[" * 100_000])
def test_garbage_is_refused(tmp_path, content):
    path = tmp_path / "seed-1.json"
    path.write_bytes(content)
    with pytest.raises(ControllerFileError, match="holds no outcome of a trial"):
        Outcome.read(path, WORK)
