"""Each kind does what the pack says, to an episode that depends on its seed and severity alone."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from ltc_edge.evaluation.corruption.corrupted_task import CorruptedTask, Corruption, refusal
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.evaluation.corruption.sensors import SENSORS
from ltc_edge.tasks import Readings
from ltc_edge.tasks.checks import CheckedPlants

SIGMA = np.array([1.0, 2.0, 0.5])
FIELDS = [field.name for field in dataclasses.fields(Readings)]


def play(task, corruption, seeds, actions=None, sigma=SIGMA):
    """All readings of episodes, by name, ``(E, T, …)``, stepped until they have ended; and the plants."""
    corrupted = CorruptedTask(task, corruption, sigma)
    plants = CheckedPlants(corrupted)
    history = [plants.reset(seeds)]
    active = np.ones(len(seeds), dtype=bool)
    for step in range(task.max_steps):
        action = np.full((len(seeds), 1), 1.0) if actions is None else np.tile(actions[step], (len(seeds), 1))
        history.append(plants.step(action, active))
        active = active & ~history[-1].terminated
        if not active.any():
            break
    columns = {name: np.stack([getattr(each, name) for each in history], axis=1) for name in FIELDS}
    return columns, corrupted.plants


@pytest.mark.parametrize("kind", PACK.names)
def test_severity_0_changes_no_bit(kind, ramp_task):
    actions = np.random.default_rng(0).uniform(-1, 1, size=40)
    task = ramp_task(ends_at=30)
    seen, plants = play(task, Corruption(kind, 0), range(3), actions)
    nominal, _ = play(task, None, range(3), actions)
    for name in FIELDS:
        np.testing.assert_array_equal(seen[name], nominal[name], name)
    assert plants.ended_early.all()
    assert seen["reward"][:, 1:31].tolist() == [actions[:30].tolist()] * 3


@pytest.mark.parametrize("kind", PACK.names)
def test_an_episode_is_the_same_whatever_the_batch_and_another_for_another_seed(kind, ramp_task):
    together, _ = play(ramp_task(), Corruption(kind, 5), [5, 9, 1, 7, 2, 3])
    for row, seed in ((0, 5), (3, 7)):
        alone, _ = play(ramp_task(), Corruption(kind, 5), [seed])
        length = alone["reward"].shape[1]
        for name in FIELDS:
            np.testing.assert_array_equal(together[name][row, :length], alone[name][0], name)
    if kind not in ("quantisation", "delay", "sample-rate", "actuator-lag"):  # which draw nothing
        seen = together["observation"] - 1e-3 * np.array([5, 9, 1, 7, 2, 3])[:, None, None]
        assert len({row.tobytes() for row in seen.round(9)}) > 1


def test_what_version_1_draws_and_does_is_pinned(ramp_task):
    """Whoever changes what a kind does makes another pack, as whoever changes its levels."""
    digest = hashlib.sha256()
    for kind in PACK.names:
        seen, _ = play(ramp_task(), Corruption(kind, 3), [0, 1, 2], np.linspace(-1, 1, 40))
        for name in ("observation", "dt_s", "reward"):
            digest.update((seen[name].round(6) + 0.0).astype("<f8").tobytes())
    assert digest.hexdigest() == "e3f3926e4a3ddd913dfc0a2b78a63a8aabe2f6c314201d88f41bdcae794c6cd9"


def errors(ramp_task, kind, severity, episodes=40, max_steps=150):
    """Corrupted less true readings in units of σ, ``(E, T, 3)``, and the level."""
    seen, _ = play(ramp_task(max_steps), Corruption(kind, severity), range(episodes))
    return (seen["observation"] - seen["privileged"]) / SIGMA, PACK[kind].level(severity)


def test_noise_is_white_and_of_its_deviation(ramp_task):
    error, level = errors(ramp_task, "noise", 3)
    np.testing.assert_allclose(error.std(axis=(0, 1)), level, rtol=0.05)
    assert abs(error.mean()) < 0.05 * level
    assert abs((error[:, 1:] * error[:, :-1]).mean()) < 0.05 * level**2


def test_bias_stays_and_drift_grows(ramp_task):
    error, level = errors(ramp_task, "bias", 4)
    np.testing.assert_allclose(np.abs(error), level, rtol=1e-9)
    assert np.ptp(error, axis=1).max() < 1e-9
    assert 0.3 < (error[:, 0] > 0).mean() < 0.7
    error, level = errors(ramp_task, "drift", 4)
    slope = np.abs(error[:, 100] - error[:, 0])
    np.testing.assert_allclose(slope, level, rtol=1e-9)
    np.testing.assert_allclose(error[:, 150], 1.5 * error[:, 100], rtol=1e-9)


def test_gain_is_a_share_of_the_reading(ramp_task):
    seen, _ = play(ramp_task(), Corruption("gain", 5), range(20))
    ratio = (seen["observation"] / np.where(seen["privileged"], seen["privileged"], np.nan))[:, 1:]
    np.testing.assert_allclose(np.abs(ratio - 1.0), PACK["gain"].level(5), rtol=1e-9)
    assert np.ptp(ratio, axis=1).max() < 1e-9


def test_quantised_readings_are_multiples_and_the_nearest(ramp_task):
    sigma = np.array([1.0, 2.0, 0.0])
    seen, _ = play(ramp_task(), Corruption("quantisation", 5), [3], sigma=sigma)
    steps = PACK["quantisation"].level(5) * sigma
    read, true = seen["observation"][0], seen["privileged"][0]
    np.testing.assert_allclose(read[:, :2] / steps[:2], np.round(read[:, :2] / steps[:2]), atol=1e-12)
    assert (np.abs(read - true)[:, :2] <= 0.5 * steps[:2] + 1e-12).all()
    np.testing.assert_array_equal(read[:, 2], true[:, 2])  # a channel that never moves has no step


def test_a_lost_reading_is_the_last_that_came(ramp_task):
    seen, _ = play(ramp_task(200), Corruption("dropout", 4), range(20))
    read, true = seen["observation"][:, :, 0], seen["privileged"][:, :, 0]
    lost = read != true
    assert lost[:, 1:].mean() == pytest.approx(PACK["dropout"].level(4), rel=0.08)
    assert not lost[:, 0].any()
    np.testing.assert_array_equal(read[:, 1:][lost[:, 1:]], read[:, :-1][lost[:, 1:]])


def test_a_stuck_channel_freezes_alone_and_for_its_time(ramp_task):
    seen, _ = play(ramp_task(200), Corruption("stuck", 3), range(30))
    frozen = seen["observation"][:, :, :2] != seen["privileged"][:, :, :2]
    lasts = PACK["stuck"].level(3)
    runs = [
        len(run)
        for row in np.moveaxis(frozen, 2, 1).reshape(-1, 201)
        for run in "".join(map(str, row * 1)).split("0")
    ]
    runs = [length for length in runs if length]
    assert np.median(runs) == lasts  # longer where two meet, shorter at an episode's end
    starts = len(runs) / (30 * 200 * 2 / 3)
    assert starts == pytest.approx(1 / PACK["stuck"].constants["mean_gap_periods"], rel=0.25)


def test_spikes_have_their_height_and_frequency(ramp_task):
    error, level = errors(ramp_task, "spikes", 4)
    height = PACK["spikes"].constants["height_sigma"]
    spikes = np.abs(error) > 1e-9
    np.testing.assert_allclose(np.abs(error[spikes]), height, rtol=1e-9)
    assert spikes.mean() == pytest.approx(level, rel=0.1)
    assert 0.4 < (error[spikes] > 0).mean() < 0.6


@pytest.mark.parametrize("severity", [1, 3, 4, 5])
def test_delayed_readings_are_as_old_as_said(severity, ramp_task):
    seen, _ = play(ramp_task(), Corruption("delay", severity), [4])
    expected = np.maximum(np.arange(41) - PACK["delay"].level(severity), 0.0) + 4e-3
    np.testing.assert_allclose(seen["observation"][0, :, 0], expected, rtol=1e-9)


@pytest.mark.parametrize("kind", ["jitter", "sample-rate"])
def test_held_actions_lose_no_time_and_no_reward(kind, ramp_task):
    task = ramp_task(200)
    seen, plants = play(task, Corruption(kind, 5), range(6), np.linspace(-1, 1, 200))
    periods = np.round(seen["dt_s"][:, 1:] / 0.1)
    level = PACK[kind].level(5)
    for row in range(6):
        length = int(seen["terminated"][row].argmax())
        own = periods[row, :length]
        assert own.sum() == 200
        mean = own[:-1].mean()  # the last step may be cut short
        assert mean == pytest.approx(level if kind == "sample-rate" else 1 + level, rel=0.12)
        np.testing.assert_allclose(
            seen["reward"][row, 1 : length + 1], np.linspace(-1, 1, 200)[:length] * own
        )
    assert not plants.ended_early.any()


def test_an_episode_that_ends_within_a_held_step_ends_there(ramp_task):
    seen, plants = play(ramp_task(ends_at=7), Corruption("sample-rate", 5), [1])
    assert seen["dt_s"][0, 1:].round(9).tolist() == [0.3, 0.3, 0.1]
    assert seen["reward"][0].sum() == 7
    assert plants.ended_early.tolist() == [True]


@pytest.mark.parametrize("severity", [1, 3, 5])
def test_a_lagging_actuator_gives_the_mean_of_its_exact_response(severity, ramp_task):
    task = ramp_task(5)
    seen, _ = play(task, Corruption("actuator-lag", severity), [1])
    tau = PACK["actuator-lag"].level(severity)
    time = np.linspace(0, 5, 5 * 2000 + 1)
    response = 1.0 - np.exp(-time / tau)
    middles = 0.5 * (response[1:] + response[:-1])
    np.testing.assert_allclose(seen["reward"][0, 1:], middles.reshape(5, -1).mean(axis=1), rtol=1e-4)


def test_plants_are_off_by_the_factor_up_and_down_in_few_batches(ramp_task):
    class ManyParameters(ramp_task):
        plant_parameters = tuple("abcdefg")
        made = ()

        def make_plants_off(self, factors):
            self.made = (*self.made, tuple(factors[name] for name in self.plant_parameters))
            return super().make_plants_off({"slope": factors["a"]})

    task = ManyParameters()
    seen, _ = play(task, Corruption("plant-parameters", 4), range(100))
    factor = PACK["plant-parameters"].level(4)
    signs = np.log(np.array(task.made)) / np.log(factor)
    np.testing.assert_allclose(np.abs(signs), 1.0)
    assert len(signs) == 8
    # Orthogonal: each parameter is up in half of the rows, whatever any other is.
    np.testing.assert_allclose(signs.sum(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(signs.T @ signs, 8 * np.eye(7), atol=1e-9)
    slopes = seen["privileged"][:, 11, 0] - seen["privileged"][:, 10, 0]
    np.testing.assert_allclose(np.sort(np.unique(slopes.round(9))), [round(1 / factor, 9), factor])


def test_a_task_without_parameters_says_so(ramp_task):
    class Closed(ramp_task):
        plant_parameters = property(lambda _: (_ for _ in ()).throw(AttributeError))

    assert refusal(ramp_task(), "plant-parameters") is None
    assert "does not say what parameters" in (refusal(Closed(), "plant-parameters") or "")
    assert refusal(Closed(), "noise") is None


def test_every_kind_has_a_home():
    others = {"jitter", "sample-rate", "actuator-lag", "plant-parameters"}
    assert set(PACK.names) == set(SENSORS) | others
