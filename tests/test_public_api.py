import re
from pathlib import Path

import pytest

import ltc_edge

DOCUMENTED = re.findall(
    r"^\| `(\w+)` \| \S.*\|$",
    (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8"),
    flags=re.MULTILINE,
)


def test_the_public_names_are_the_documented_ones():
    assert ltc_edge.__all__ == DOCUMENTED


def test_they_are_sorted_and_differ():
    assert ltc_edge.__all__ == sorted(set(ltc_edge.__all__))


@pytest.mark.parametrize("name", ltc_edge.__all__)
def test_every_name_resolves_and_says_what_it_is(name):
    if name == "TorchStepper":
        pytest.importorskip("torch", reason="torch is not installed (extra: train)")
    value = getattr(ltc_edge, name)
    assert value.__doc__


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = ltc_edge.Nothing
