"""Upper bounds against the float64 reference, which shares no code with them: a slice of the campaign."""

import dataclasses

import numpy as np
import pytest
from bench_lipschitz import campaign
from lipschitz_bench.networks import CELLS
from lipschitz_bench.pairs import bracketed

from ltc_edge.evaluation.lipschitz import cells, functions, ltc


def test_no_difference_quotient_exceeds_the_upper_bound_of_any_cell():
    found = campaign(16 * len(CELLS), seed=11, boxes=16)
    assert found["violations"] == 0
    assert found["cells"].keys() == CELLS.keys()
    unknown = sum(row["unknown"] for row in found["cells"].values())
    assert unknown < 0.1 * found["pairs"]
    # A bound that is merely great would pass for sound.
    assert found["ratio_quartiles"]["0.01"][1] < 1.1


@pytest.mark.parametrize("wrong", [{"slope": 0.9}, {"bend": 0.0}], ids=["slope", "bend"])
def test_the_campaign_sees_a_derivative_that_is_too_small(monkeypatch, wrong):
    def shrunk(range_of, factor):
        def over(low, high):
            ball = range_of(low, high)
            return functions.Ball(factor * ball.mid, factor * ball.rad)

        return over

    (name, factor) = next(iter(wrong.items()))
    broken = dataclasses.replace(
        functions.LOGISTIC, **{name: shrunk(getattr(functions.LOGISTIC, name), factor)}
    )
    for module in (ltc, cells):
        monkeypatch.setattr(module, "LOGISTIC", broken)
    seen = sum(bracketed("ltc-fused-clamp", 20, np.random.default_rng(seed)).violations for seed in range(5))
    assert seen > 0


RANGES = {
    "logistic": functions.LOGISTIC,
    "tanh": functions.TANH,
    "normal": functions.NORMAL,
    "exponential": functions.EXPONENTIAL,
    "expm1": functions.EXPM1,
    "relu": functions.RELU,
    "magnitude": functions.MAGNITUDE,
    "clip": functions.clipped(1.5),
}


@pytest.mark.parametrize("name", RANGES)
def test_ranges_hold_values_and_differences_inside(name):
    function, rng = RANGES[name], np.random.default_rng(1)
    low = rng.normal(size=400) * 3
    high = low + rng.choice([0.0, 1e-3, 0.3, 4.0], size=400)
    inside = low + (high - low) * rng.uniform(size=(50, 400))
    step = 1e-6 * np.maximum(high - low, 1e-300)

    def values(x):
        return function.value(x, x).mid

    def holds(ball, x, slack):
        assert (np.abs(x - ball.mid) <= ball.rad + slack).all()

    holds(function.value(low, high), values(inside), 1e-13 * (1 + np.abs(values(inside))))
    wide = high > low
    moved = np.where(inside + step <= high, inside + step, inside - step)
    distance = np.where(moved == inside, 1.0, moved - inside)
    quotient = (values(moved) - values(inside)) / distance
    rounding = 1e-15 * (1 + np.abs(values(inside))) / np.abs(distance)
    ball = function.slope(low, high)
    assert (np.abs(quotient - ball.mid) <= ball.rad + rounding)[:, wide].all()
    kinked = ~np.isfinite(function.bend(low, high).rad)
    slopes = function.slope(inside, inside).mid, function.slope(moved, moved).mid
    quotient = (slopes[1] - slopes[0]) / distance
    ball = function.bend(low, high)
    assert (np.abs(quotient - ball.mid) <= ball.rad + rounding)[:, wide & ~kinked].all()
