"""Whatever a controller is called, it has a name in C."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ltc_edge.export.c.names import RESERVED, check_name, default_c_name, is_taken
from ltc_edge.export.c.text import KEYWORDS


@given(st.text() | st.text("_lLtTcC 0é²-", max_size=50) | st.sampled_from(sorted(RESERVED | KEYWORDS)))
@example("\ud800\x00")
@example("-" * 39 + "ltc_")
@example("é" * 41)
def test_a_default_name_is_always_one(controller_name):
    name = default_c_name(controller_name)
    check_name(name)
    assert not is_taken(name)
    assert name == default_c_name(controller_name)
    assert name == default_c_name(name)


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("balance", "balance"),
        ("inverted-double-pendulum", "inverted_double_pendulum"),
        ("InvertedDoublePendulum-v5", "inverted_double_pendulum_v5"),
        ("Übertragung für 2 Ventile", "ubertragung_fur_2_ventile"),
        ("2nd try", "controller_2nd_try"),
        ("float", "controller_float"),
        ("StdInt", "std_int"),
        ("stdint", "controller_stdint"),
        ("COM1", "controller_com1"),
        ("ltc", "controller_ltc"),
        ("LTC-19", "controller_ltc_19"),
        ("", "controller"),
        ("控制器", "controller"),
        ("x" * 60, "x" * 40),
        ("a" * 39 + "-b", "a" * 39),
    ],
)
def test_default_names(called, name):
    assert default_c_name(called) == name
