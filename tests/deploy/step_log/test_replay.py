"""Replay: no bit differs where none was changed, and what was changed is found."""

import dataclasses

import numpy as np
import pytest

from ltc_edge.deploy.replay.library import ReplayLibrary
from ltc_edge.deploy.replay.replay import replay
from ltc_edge.deploy.replay.settings import logged_settings
from ltc_edge.deploy.step_log.messages import PERIODIC, Snapshot
from ltc_edge.deploy.step_log.reading import StepLog
from ltc_edge.deploy.step_log.writing import StepLogWriter
from ltc_edge.errors import InputError, RecordingError
from ltc_edge.supervision.settings import default_settings


def _same(value):
    return value


def _rewrite(source, path, change=_same, keep=lambda number: number >= 0, state=_same):
    """Another log with the steps and states of one, some of them changed or left out."""
    log = StepLog(source)
    with StepLogWriter(path, log.facts, logged_settings(log), "tiny") as writer:
        for block in log.blocks():
            states = {one.sequence: state(one) for one in block.snapshots}
            for row in block.steps:
                step = np.array([row])
                number = int(step["sequence"][0])
                change(step)
                if keep(number):
                    writer.add(step, states.get(number))
    return StepLog(path)


def test_every_bit_comes_out_again(log_file, library):
    shares = []
    found = replay(StepLog(log_file), library, shares.append)
    assert (found.steps, found.differing, found.first) == (4000, 0, None)
    assert found.seconds == pytest.approx(3.999)
    assert found.changed > 0
    assert set(found.modes) == {0, 1, 2, 3, 4}
    assert sum(found.modes.values()) == 4000
    assert (found.gaps, found.missing, found.unreachable, found.is_whole) == (0, 0, 0, True)
    assert shares == sorted(shares)
    assert 0.9 < shares[-1] <= 1


@pytest.mark.parametrize(
    ("field", "kind"),
    [("action", "f4"), ("proposal", "f4"), ("status", "u4"), ("mode", "u4"), ("state_after", "u4")],
)
def test_a_single_bit_that_was_logged_otherwise_is_found(log_file, library, tmp_path, field, kind):
    def flip(step):
        if step["sequence"][0] == 2345:
            value = np.array(step[field].reshape(-1)[:1], dtype=kind)
            value.view(np.uint32)[0] ^= 1
            step[field] = value

    found = replay(_rewrite(log_file, tmp_path / "other.mcap", flip), library)
    assert (found.steps, found.differing) == (4000, 1)
    assert found.first.sequence == 2345
    assert found.first.outputs == (field,)
    assert found.first.at_s == pytest.approx(2.345)


def test_another_input_gives_other_outputs_until_the_next_state(log_file, library, tmp_path):
    steps = np.concatenate([block.steps for block in StepLog(log_file).blocks()])
    number = next(row for row in range(500, 3000) if (steps["mode"][row : row + 5] == 2).all()) + 2

    def move(step):
        if step["sequence"][0] == number:
            step["observation"] += 0.25

    found = replay(_rewrite(log_file, tmp_path / "other.mcap", move), library)
    assert found.first.sequence == number
    assert "state_after" in found.first.outputs
    # The state that is logged within the next second, or a reset, sets it right again.
    assert 1 <= found.differing < 1100


def test_a_state_that_was_not_reached_is_told(log_file, library, tmp_path):
    def spoil(snapshot):
        if snapshot.reason != PERIODIC:
            return snapshot
        room = snapshot.room.copy()
        room[-1] += 1
        return Snapshot(snapshot.sequence, PERIODIC, snapshot.supervisor, room, snapshot.context)

    found = replay(_rewrite(log_file, tmp_path / "other.mcap", state=spoil), library)
    assert found.differing > 0


def test_a_log_that_begins_in_the_middle_waits_for_a_state(log_file, library, tmp_path):
    found = replay(_rewrite(log_file, tmp_path / "rest.mcap", keep=lambda number: number >= 1234), library)
    assert 0 < found.unreachable < 1100
    assert found.steps + found.unreachable == 4000 - 1234
    assert found.differing == 0


def test_missing_steps_are_counted_and_nothing_is_compared_without_a_state(log_file, library, tmp_path):
    keep = lambda number: not 1500 <= number < 1510  # noqa: E731
    found = replay(_rewrite(log_file, tmp_path / "holes.mcap", keep=keep), library)
    assert (found.gaps, found.missing) == (1, 10)
    assert found.unreachable > 0
    assert found.steps + found.unreachable == 3990
    assert found.differing == 0


def test_states_and_sizes_of_another_controller_are_refused(log_file, library, tmp_path):
    def shorten(snapshot):
        return Snapshot(0, snapshot.reason, snapshot.supervisor, snapshot.room, snapshot.context[:-4])

    with pytest.raises(RecordingError, match="is not one of this controller"):
        replay(_rewrite(log_file, tmp_path / "other.mcap", state=shorten), library)
    log = StepLog(log_file)
    log.settings["actions"] = 2
    with pytest.raises(RecordingError, match="this one has 2 and 1"):
        replay(log, library)


def test_settings_of_another_controller_never_reach_the_code(bundle, tmp_path):
    settings = default_settings(bundle.controller)
    two = {name: getattr(settings, name) * 2 for name in ("low", "high", "slew", "resting")}
    other = dataclasses.replace(settings, actions=("drive", "brake"), **two)
    with pytest.raises(InputError, match="with 2 observations and 2 actions; tiny has 2 and 1"):
        ReplayLibrary(
            bundle.artifacts["c-float32"].c_sources(), other, ("-std=c99", "-O0", "-ffp-contract=off")
        )


def test_whatever_a_log_says_is_replayed_without_harm(log_file, library, tmp_path):
    rng = np.random.default_rng(3)

    def anything(step):
        for name in ("observation", "age_s", "external", "dt_s", "requests", "missed", "given"):
            size = step[name].nbytes
            step[name] = np.frombuffer(rng.bytes(size), dtype=step[name].dtype).reshape(step[name].shape)

    def any_state(snapshot):
        room = np.frombuffer(rng.bytes(snapshot.room.nbytes), dtype=np.float32)
        memory, context = rng.bytes(len(snapshot.supervisor)), rng.bytes(len(snapshot.context))
        return Snapshot(snapshot.sequence, snapshot.reason, memory, room, context)

    log = _rewrite(log_file, tmp_path / "wild.mcap", anything, state=any_state)
    assert replay(log, library).differing > 1000
    for block in log.blocks():
        action = library.run(block.steps)["action"]
        assert (np.abs(action) <= 10).all()  # the limits that the settings set


def test_steps_that_come_twice_are_refused(log_file, library, tmp_path):
    def repeat(step):
        step["sequence"] = min(int(step["sequence"][0]), 99)

    with pytest.raises(RecordingError, match="comes twice"):
        replay(_rewrite(log_file, tmp_path / "twice.mcap", repeat), library)


def test_settings_that_no_supervisor_takes_are_refused(log_file):
    log = StepLog(log_file)
    for name, value in {"gap_s": float("nan"), "fallback": 7, "slew": [0.0], "pd_gain": [1.0]}.items():
        log.settings = StepLog(log_file).settings | {name: value}
        with pytest.raises(RecordingError, match="its settings are none of a supervisor"):
            logged_settings(log)
