"""The named tasks against the published recordings: their splits, windows and plain baselines."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.errors import RecordingError
from ltc_edge.logs import LOG_TASKS, METRICS, Dataset, windows


@pytest.fixture(scope="module", params=list(LOG_TASKS))
def loaded(request, data_dir) -> tuple[str, Dataset]:
    return request.param, LOG_TASKS[request.param].load(data_dir)


def _persistence_errors(data_dir: Path, number: int) -> np.ndarray:
    """Squared errors of repeating the present row, in the published windows, from the file alone."""
    rows = np.load(data_dir / "half_cheetah" / f"trace_{number:04d}.npy")
    starts = range(0, 1000 - 32 - 1, 10)
    return np.stack([(rows[start + 1 : start + 33] - rows[start : start + 32]) ** 2 for start in starts])


def _test_windows(data: Dataset):
    return windows(data.test.segments, data.window_length, data.evaluation_stride)


def test_every_task_loads_with_its_own_facts(loaded):
    name, data = loaded
    task = LOG_TASKS[name]
    assert (data.kind, data.metric) == (task.kind, task.metric)
    assert data.period_s == pytest.approx(task.period_s, rel=1e-3)
    assert data.notes == ()
    for split in data.splits.values():
        for segment in split.segments:
            assert np.isfinite(segment.inputs).all()
            assert (segment.dt_s > 0).all()
    assert len(task.input_units) == len(task.inputs)
    assert len(task.target_units) == len(task.targets)


def test_no_row_is_in_two_splits(loaded):
    _, data = loaded
    lead = 1 if data.kind == "prediction" else 0
    seen: set[tuple[str, int]] = set()
    for split in data.splits.values():
        rows = {
            (segment.source, segment.first_row + row)
            for segment in split.segments
            for row in range(segment.rows + lead)
        }
        assert not rows & seen
        seen |= rows


def test_half_cheetah_has_the_published_split_and_windows(data_dir):
    data = LOG_TASKS["half-cheetah"].load(data_dir)
    numbers = {
        name: [int(Path(source).stem[-4:]) for source in split.sources] for name, split in data.splits.items()
    }
    assert numbers == {
        "train": list(range(15, 25)),
        "validation": list(range(5)),
        "test": list(range(5, 15)),
    }
    # The published loader cuts 97 windows from each rollout of 1000 rows.
    assert windows(data.train.segments, 32, 10).inputs.shape == (970, 32, 17)
    cut = _test_windows(data)
    assert cut.inputs.shape == (970, 32, 17)
    np.testing.assert_array_equal(cut.targets[:, :-1], cut.inputs[:, 1:])
    # Repeating the present observation: what a model has to beat.
    persistence = np.mean([_persistence_errors(data_dir, number) for number in range(5, 15)])
    assert METRICS["mse"].compute(cut.inputs, cut.targets) == pytest.approx(persistence)


def test_occupancy_has_the_published_test_files(data_dir):
    data = LOG_TASKS["occupancy"].load(data_dir)
    assert [Path(source).name for source in data.test.sources] == ["datatest.txt", "datatest2.txt"]
    assert data.classes == (0, 1)
    assert data.test.rows == 2665 + 9752
    (train,), (validation,) = data.train.segments, data.validation.segments
    assert validation.first_row - (train.first_row + train.rows) == data.window_length
    assert validation.first_row + validation.rows == 8143
    assert data.dt_range_s == (59.0, 61.0)
    # Both classes must be there to be told apart.
    assert set(np.unique(validation.targets)) == {0, 1}


def test_emps_is_sampled_at_200_hz_and_tested_on_pulses(data_dir):
    data = LOG_TASKS["emps"].load(data_dir)
    assert Path(data.test.sources[0]).name == "DATA_EMPS_PULSES_SC.csv"
    assert data.test.rows == 4968
    # The target is the derivative of the measured position, in the file's scaled units.
    (test,) = data.test.segments
    slope = np.gradient(test.inputs[:, 1], 0.005)
    assert METRICS["rmse"].compute(slope, np.asarray(test.targets[:, 0])) < 0.01


def test_the_folder_may_be_named_itself(data_dir):
    assert LOG_TASKS["emps"].load(data_dir / "emps").train.rows > 0


def test_a_missing_file_names_its_source(tmp_path):
    for task in LOG_TASKS.values():
        with pytest.raises(RecordingError, match=r"needs this file. Get it from https://") as caught:
            task.load(tmp_path)
        assert "\n" not in str(caught.value)
    (tmp_path / "datatraining.txt").write_text("date,Temperature\n1,2\n3,4\n")
    with pytest.raises(RecordingError, match="no column 'Humidity'"):
        LOG_TASKS["occupancy"].load(tmp_path)


def test_tasks_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LOG_TASKS["emps"].window_length = 1  # type: ignore[misc]
