"""The effective dimension of what has a known one, and what must not change it."""

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.evaluation.sizing.autocorrelation import Memory, memory_of
from ltc_edge.evaluation.sizing.dimension import effective_dimension, find_plateau, scale_orders
from ltc_edge.evaluation.sizing.points import FEWEST_POINTS, draw_points


def independent(columns):
    return Memory(np.ones(columns), np.ones(columns, dtype=bool))


def dimension_of(*segments, seed=0, memory=None, **options):
    memory = memory or independent(segments[0].shape[1])
    return effective_dimension(draw_points(segments, memory, **options), seed)


@pytest.mark.parametrize(
    ("name", "dimension", "noise"),
    [
        ("sphere", 1, 0.01),
        ("swiss_roll", 2, 0.0),
        ("swiss_roll", 2, 0.01),
        ("torus", 2, 0.01),
        ("cube", 3, 0.0),
        ("torus", 6, 0.01),
        ("normal", 6, 0.01),
        ("cube", 7, 0.0),
        ("sphere", 10, 0.01),
    ],
)
def test_the_dimension_of_manifolds_is_found_with_and_without_noise(manifold, name, dimension, noise):
    found = dimension_of(manifold(name, dimension, noise=noise))
    assert found.estimate.value == pytest.approx(dimension, rel=0.15)
    assert found.steady
    low, high = found.estimate.ci95
    assert low < found.estimate.value < high
    assert high - low < 0.3 * dimension


def test_turning_scaling_and_another_order_change_nothing(manifold):
    points = manifold("normal", 3, columns=6, rows=200)
    reference = dimension_of(points)
    order = np.random.default_rng(1).permutation(len(points))
    for same in (points * 1e6 + 3.0, points * [1, 10, 1e-3, -1, 5, 1], points[:, ::-1]):
        found = dimension_of(same)
        assert found.estimate.value == pytest.approx(reference.estimate.value, rel=1e-9)
        assert found.participation_ratio.value == pytest.approx(reference.participation_ratio.value, rel=1e-9)
    shuffled = dimension_of(points[order])
    assert shuffled.estimate.value == pytest.approx(reference.estimate.value, rel=1e-9)
    assert shuffled.estimate.ci95 == pytest.approx(reference.estimate.ci95, rel=0.1)


def test_turning_white_columns_changes_nothing():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((300, 4))
    points -= points.mean(axis=0)
    points @= np.linalg.inv(
        np.linalg.cholesky(np.cov(points.T, bias=True))
    ).T  # so standardising does nothing
    turn, _ = np.linalg.qr(rng.standard_normal((4, 4)))
    assert dimension_of(points @ turn).estimate.value == pytest.approx(
        dimension_of(points).estimate.value, rel=1e-6
    )


def test_the_same_seed_gives_the_same_figures_and_another_the_same_estimate(manifold):
    points = manifold("torus", 2, rows=300)
    first, again, other = (dimension_of(points, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.estimate.value == other.estimate.value
    assert first.estimate.ci95 != other.estimate.ci95


def test_repeated_rows_and_columns_that_never_move_are_left_out(manifold):
    points = manifold("sphere", 2, rows=400)
    reference = dimension_of(points)
    repeated = dimension_of(np.concatenate([points, points[:200]]))
    assert repeated.points == 400
    assert repeated.repeated == pytest.approx(1 / 3)
    assert repeated.estimate.value == pytest.approx(reference.estimate.value, rel=0.02)
    still = dimension_of(np.column_stack([points, np.full(400, 0.1)]))
    assert still.columns == 20
    assert still.estimate == reference.estimate


def test_no_dimension_is_larger_than_the_number_of_columns_that_move():
    column = np.random.default_rng(0).standard_normal((500, 1))
    found = dimension_of(column)
    assert found.columns == 1
    assert found.estimate.value == pytest.approx(1.0, rel=0.05)
    assert found.participation_ratio.value == pytest.approx(1.0)
    assert found.estimate.value <= 1.0


def test_neighbours_in_time_are_no_neighbours():
    # A slow walk over a torus: within a moment of it, any trajectory is a line.
    rng = np.random.default_rng(0)
    angle = np.cumsum(rng.normal([0.03, 0.0484], 0.05, (3000, 2)), axis=0)
    walk = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    naive = dimension_of(walk)
    apart = dimension_of(walk, memory=memory_of([walk]))
    assert apart.apart > 20
    assert apart.estimate.value == pytest.approx(2.0, rel=0.15)
    assert naive.scales[0].two_nn.value < apart.scales[0].two_nn.value


def test_one_long_recording_and_several_say_the_same(manifold):
    points = manifold("normal", 4, columns=8, rows=500)
    one, several = dimension_of(points), dimension_of(*np.split(points, 4))
    assert several.estimate.value == pytest.approx(one.estimate.value, rel=0.02)


def test_more_rows_than_are_looked_at_are_drawn_evenly_from_all_recordings(manifold):
    drawn = draw_points(np.split(manifold("sphere", 2, rows=1200), 3), independent(20), most=300)
    assert len(drawn) == 300
    assert np.bincount(drawn.segment).tolist() == [100, 100, 100]
    assert set(np.diff(drawn.row[drawn.segment == 1])) <= {3, 4, 5}


@pytest.mark.parametrize(
    ("segments", "message"),
    [
        ([np.zeros((400, 2))], "no column of the inputs ever changes"),
        ([np.random.default_rng(0).standard_normal((FEWEST_POINTS - 1, 2))], "too few to estimate"),
        ([np.tile(np.eye(3), (100, 1))], "3 different rows are too few"),
    ],
)
def test_data_without_a_dimension_are_refused(segments, message):
    with pytest.raises(RecordingError, match=message):
        dimension_of(*segments)


def test_a_single_ride_has_no_neighbours_that_are_far_enough_in_time():
    with pytest.raises(RecordingError, match="too few others are far enough away in time"):
        dimension_of(np.linspace(0, 1, 100)[:, None], memory=Memory(np.array([60.0]), np.ones(1)), history=40)


def test_a_plateau_is_where_estimates_agree_and_else_where_neither_noise_nor_curvature_is():
    assert find_plateau(np.array([9.0, 4.0, 2.1, 2.0, 2.05, 3.0])).tolist() == [2, 3, 4]
    assert find_plateau(np.array([12.0, 12.1, 12.0, 8.0, 5.0, 3.0, 2.9, 2.7])).tolist() == [5, 6, 7]
    assert find_plateau(np.array([7.9, 7.4, 7.2, 6.9, 6.9, 6.4, 5.8, 5.3])).tolist() == [2, 3, 4]
    assert find_plateau(np.array([7.9, 8.3, 8.7, 10.5, 11.9, 12.0, 12.1])).tolist() == [0, 1, 2]
    assert find_plateau(np.array([9.0, 6.0, 4.0, 2.7, 1.8])).tolist() == [2, 3, 4]
    assert find_plateau(np.array([1.8, 2.7, 4.0, 6.0, 9.0])).tolist() == [0, 1, 2]


def test_scales_double_up_to_a_share_of_the_points():
    assert scale_orders(1999) == (1, 2, 4, 8, 16, 32, 64, 128)
    assert scale_orders(50) == (1, 2, 4)
