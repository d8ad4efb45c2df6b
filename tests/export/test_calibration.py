"""Calibration: what is refused, what it measures, and the coordinates that follow from it."""

import dataclasses

import numpy as np
import pytest

from ltc_edge import ActionSignal, InputError, Timing
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.calibration import Sequences, excitation, measure, unit_steps
from ltc_edge.export.coordinates import Observed, unit_coordinates


def sequences(built, *, steps=30, episodes=3, seed=2):
    return excitation(built, sequences=episodes, steps=steps, seed=seed)


def with_value(array, index, value):
    changed = array.astype(np.float64)
    changed[index] = value
    return changed


UNUSABLE = {
    "too few channels": (lambda s: {"observation": s.observation[..., :2]}, "reads 3 channels: a, b, c"),
    "too many channels": (lambda s: {"observation": np.concatenate([s.observation] * 2, axis=2)}, "channels"),
    "no batch": (lambda s: {"observation": s.observation[0]}, "shape"),
    "no sequence": (lambda s: {"observation": s.observation[:0]}, "shape"),
    "no step": (lambda s: {"observation": s.observation[:, :0]}, "shape"),
    "not a number": (
        lambda s: {"observation": with_value(s.observation, (1, 2, 0), np.nan)},
        "not finite; clean it",
    ),
    "infinite": (lambda s: {"observation": with_value(s.observation, (0, 0, 2), np.inf)}, "not finite"),
    "time that stands still": (lambda s: {"dt_s": with_value(s.dt_s, (2, 5), 0.0)}, "do not increase"),
    "time that goes back": (lambda s: {"dt_s": with_value(s.dt_s, (2, 5), -0.02)}, "do not increase"),
    "no time": (lambda s: {"dt_s": with_value(s.dt_s, (2, 5), np.nan)}, "not finite"),
    "times of another length": (lambda s: {"dt_s": s.dt_s[:, :-1]}, "times of shape"),
    "validity of another length": (lambda s: {"valid": s.valid[:-1]}, "times of shape"),
    "nothing valid": (lambda s: {"valid": np.zeros_like(s.valid)}, "no step that is valid"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_sequences_are_refused(zoo, case):
    built = zoo.controller("gru")
    given = sequences(built)
    change, message = UNUSABLE[case]
    with pytest.raises(InputError, match=message):
        measure(built, (given, dataclasses.replace(given, **change(given))))


@pytest.mark.parametrize("percentile", [50.0, 0.0, -1.0, 100.1, np.nan])
def test_unusable_percentiles_are_refused(zoo, percentile):
    built = zoo.controller("gru")
    with pytest.raises(InputError, match="percentile"):
        measure(built, (sequences(built),), percentile=percentile)


def test_no_calibration_is_refused(zoo):
    with pytest.raises(InputError, match="at least one"):
        measure(zoo.controller("gru"), ())


@pytest.mark.parametrize("kind", ["ltc", "gru", "mixed memory, ctrnn"])
def test_padding_changes_nothing(zoo, kind):
    """Whatever it holds, NaN included."""
    built = zoo.controller(kind)
    plain = sequences(built, steps=20)
    padded = Sequences(
        np.concatenate([plain.observation, np.full((3, 5, 3), np.nan)], axis=1),
        np.concatenate([plain.dt_s, np.full((3, 5), -1.0)], axis=1),
        np.concatenate([plain.valid, np.zeros((3, 5), dtype=np.bool_)], axis=1),
        plain.source,
    )
    one, other = measure(built, (plain,)), measure(built, (padded,))
    assert one.steps == other.steps == 60
    assert one.ranges == other.ranges
    for name, rows in one.samples.items():
        np.testing.assert_array_equal(rows, other.samples[name])


def test_ranges_are_those_of_every_sequence(zoo):
    built = zoo.controller("gru")
    parts = tuple(sequences(built, seed=seed) for seed in (1, 2, 3))
    whole = measure(built, parts)
    assert whole.ranges.keys() >= set(whole.program.sizes)
    for name, (low, high) in whole.ranges.items():
        assert low <= high, name
    assert whole.steps == sum(part.valid.sum() for part in parts)
    for operation in whole.program.dense():
        assert whole.samples[operation.output].shape == (whole.steps, operation.weight.shape[1])


def test_percentiles_narrow_unproved_ranges_only(zoo, integer_kind):
    built = zoo.controller(integer_kind)
    given = (sequences(built, steps=60),)
    plain, narrow = measure(built, given), measure(built, given, percentile=95.0)
    program, narrower = plain.program, 0
    for name in program.sizes:
        if name in program.proved or name in program.constants:
            assert narrow.ranges[name] == plain.ranges[name], name
        else:
            assert plain.ranges[name][0] <= narrow.ranges[name][0]
            assert narrow.ranges[name][1] <= plain.ranges[name][1]
            narrower += narrow.ranges[name] != plain.ranges[name]
    assert narrower == len(program.sizes.keys() - program.proved.keys() - program.constants.keys())


def test_excitation_moves_like_sensors(zoo):
    built = zoo.controller("gru")
    made = excitation(built, sequences=64, steps=200, seed=1)
    again = excitation(built, sequences=64, steps=200, seed=1)
    np.testing.assert_array_equal(made.observation, again.observation)
    z = (made.observation - built.normalizer.offset) / built.normalizer.scale
    np.testing.assert_allclose(z.mean(axis=(0, 1)), 0.0, atol=0.15)
    np.testing.assert_allclose(z.std(axis=(0, 1)), 1.0, atol=0.1)
    np.testing.assert_allclose((z[:, 10:] * z[:, :-10]).mean(), np.exp(-1), atol=0.1)
    assert made.dt_s.min() >= built.timing.dt_min_s
    assert made.dt_s.max() <= built.timing.dt_max_s
    assert 0.45 < (made.dt_s == built.timing.period_s).mean() < 0.55
    made.check(built)


def test_steps_are_clipped_fractions_with_dt_in_range(zoo):
    built, plan = zoo.planned("gru")
    given = sequences(built)
    wild = dataclasses.replace(given, observation=given.observation * 1e6, dt_s=given.dt_s * 1e3)
    steps = unit_steps(built, plan.coordinates, wild)
    assert steps.observation.shape == (30, 3, 3)
    assert np.abs(steps.observation).max() == 1.0
    assert steps.dt.max() == 1.0
    assert steps.dt.min() >= built.timing.dt_min_s / built.timing.dt_max_s


def ranges(channels, low=-1.0, high=1.0):
    return Observed(np.full(channels, low), np.full(channels, high))


def coordinates(built, **changes):
    size = built.cell.state_size
    given = {"observation": ranges(3), "state": ranges(size), "action": ranges(2)} | changes
    return unit_coordinates(built, **given)


def test_observations_are_as_wide_as_seen_and_no_wider_than_the_clip(zoo):
    built = zoo.controller("gru")  # offsets 0.5, −10, 0; scales 0.2, 30, 1; clip 2.5
    seen = Observed(np.array([0.5, -10.0, -2.0]), np.array([0.5, 1e6, 0.4]))
    at = coordinates(built, observation=seen).observation
    np.testing.assert_array_equal(at.center, built.normalizer.offset)
    np.testing.assert_allclose(at.span, [0.2, 75.0, 2.5])
    free = dataclasses.replace(built, clip=np.inf)
    np.testing.assert_allclose(
        coordinates(free, observation=seen).observation.span, [0.2, 1.5 * (1e6 + 10), 3.0]
    )


def test_limits_are_the_ends_of_the_actions(zoo):
    built = zoo.controller("gru")  # the torque from −0.375 to 0.5, the valve above −30
    at = coordinates(built, action=Observed(np.array([-9.0, -90.0]), np.array([9.0, 50.0]))).action
    ends = at.to_raw(np.array([[-1.0], [1.0]]))
    np.testing.assert_allclose(ends[:, 0], [-0.375, 0.5], rtol=0, atol=1e-15)
    assert ends[0, 1] == -30.0
    assert ends[1, 1] == 50.0 + 0.25 * 80.0
    # The fallback is where a reset starts, so it is within the ends even if no action came near it.
    far = dataclasses.replace(
        zoo.without_limits(built),
        fallback=np.array([7.0, -800.0]),
        actions=(ActionSignal("a"), ActionSignal("b")),
    )
    at = coordinates(far).action
    assert (np.abs(at.to_fraction(far.fallback)) <= 1.0).all()


def test_an_action_that_never_moved_still_has_room(zoo):
    built = zoo.without_limits(zoo.controller("gru"))
    built = dataclasses.replace(built, fallback=np.zeros(2))
    at = coordinates(built, action=ranges(2, 0.0, 0.0)).action
    assert (at.span > 0).all()


@pytest.mark.parametrize("kind", ["cfc pure", "lstm", "mixed memory, ctrnn"])
def test_a_state_that_grew_without_bound_is_refused(zoo, kind):
    built = zoo.controller(kind)
    for high in (np.inf, np.nan):
        with pytest.raises(FormatRefusedError, match="without bound") as refused:
            coordinates(built, state=ranges(built.cell.state_size, -1.0, high))
        assert refused.value.reason == "unbounded-state"


def test_every_state_holds_its_initial_value(zoo, integer_kind):
    built = zoo.controller(integer_kind)
    built = dataclasses.replace(built, initial_state=np.linspace(-3, 3, built.cell.state_size))
    at = coordinates(built).state
    assert (np.abs(at.to_fraction(built.reset_state)) <= 1.0 + 1e-12).all()
    assert at.center.shape == at.span.shape == (built.state_size,)
    np.testing.assert_allclose(at.to_raw(at.to_fraction(built.reset_state)), built.reset_state, atol=1e-12)


def test_time_is_a_share_of_the_longest_dt(zoo):
    built = zoo.controller("gru", timing=Timing(0.02, 0.01, 0.4, 0.02))
    at = coordinates(built).dt
    assert (at.center[0], at.span[0]) == (0.0, 0.4)
