"""The pack is what its version says, and what is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ltc_edge.evaluation.corruption.pack import PACK, SEVERITIES

SHA256 = {1: "18fa3f04c69cac349042602846f6d1b5f0519b6ee25140a3f075888106475a5a"}
DOCUMENT = (Path(__file__).parents[3] / "docs" / "robustness.md").read_text(encoding="utf-8")


def test_a_change_of_the_pack_is_a_new_version():
    assert SHA256[PACK.version] == PACK.sha256


def test_the_documented_pack_is_the_pack():
    assert f"Version {PACK.version}, SHA-256 `{PACK.sha256}`" in DOCUMENT
    rows = re.findall(
        r"^\| `([\w-]+)` \|.*?\| ([^|]*) \| ((?:[\d.]+, ){4}[\d.]+) \|$", DOCUMENT, flags=re.MULTILINE
    )
    documented = [
        (name, unit, tuple(float(level) for level in levels.split(","))) for name, unit, levels in rows
    ]
    assert documented == [(kind.name, kind.unit, kind.levels) for kind in PACK.kinds]


@pytest.mark.parametrize("kind", PACK.kinds, ids=lambda kind: kind.name)
def test_severities_grow_from_nothing(kind):
    levels = [kind.level(severity) for severity in (0, *SEVERITIES)]
    assert levels[0] == kind.neutral
    assert levels == sorted(set(levels))
