"""The comparison of cells: sizes that match, intervals that cover, verdicts that follow."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(autouse=True)
def tools_on_path(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(TOOLS), *sys.path])


@pytest.mark.parametrize(
    ("inputs", "actions", "task"), [(2, 1, "cartpole"), (17, 17, "half-cheetah"), (5, 2, "occupancy")]
)
def test_cells_have_as_many_parameters_as_the_ltc(inputs, actions, task):
    from notes.contenders import CELLS, TOLERANCE, matched

    from ltc_edge.training.defaults import log_defaults, task_defaults
    from ltc_edge.training.model import cell_spec, needs_readout

    initial_parameters = pytest.importorskip("ltc_edge.network").initial_parameters
    reference = task_defaults(task).model if task == "cartpole" else log_defaults(task).model
    found = matched(reference, inputs, actions)
    assert tuple(found) == CELLS
    assert found["ltc"].model == reference
    for one in found.values():
        assert abs(one.effective / found["ltc"].effective - 1.0) <= TOLERANCE
        cell = cell_spec(one.model, inputs, actions)
        arrays = initial_parameters(cell, actions, readout=needs_readout(one.model), seed=0)
        assert sum(array.size for array in arrays.values()) == one.effective


def test_intervals_of_five_trainings_cover_what_they_say(monkeypatch):
    pytest.importorskip("scipy", reason="scipy is not installed (extra: train)")
    from notes import statistics
    from notes.statistics import estimate, pooled

    monkeypatch.setattr(statistics, "RESAMPLES", 2000)
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(300):
        low, high = estimate(rng.standard_normal(5).tolist()).ci95
        covered.append(low <= 0.0 <= high)
    # A percentile interval that is not expanded covers 0.83.
    assert 0.91 < np.mean(covered) < 0.98
    two = pooled({"a": [1.0, 3.0], "b": [10.0, 10.0, 10.0, 10.0]})
    assert two.mean == pytest.approx(6.0)
    assert two.trainings == 6
    assert estimate([0.5]).ci95 is None


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ((0.001, 0.5), "holds"),
        ((-0.5, -0.1), "does not hold"),
        ((-0.01, 0.01), "does not hold"),
        ((-0.01, 0.3), "cannot be told"),
        (None, "cannot be told"),
    ],
)
def test_a_promise_of_an_advantage_is_judged_by_its_interval(interval, expected):
    from notes.statistics import Estimate, verdict

    assert verdict(Estimate(0.0, interval, 5)) == expected


def test_a_promise_against_several_is_kept_against_all_or_broken_by_one():
    from notes.statistics import joint

    assert joint(["holds", "holds"]) == "holds"
    assert joint(["holds", "cannot be told"]) == "cannot be told"
    assert joint(["holds", "cannot be told", "does not hold"]) == "does not hold"


@pytest.fixture
def campaign(tmp_path):
    """Trained runs with figures made by hand: the LTC does better by 0.3 than all but the GRU."""
    from notes.contenders import CELLS, contender
    from notes.scoring import PARTS
    from notes.subjects import subject
    from notes.training import Run

    runs = []
    for name in ("cartpole", "emps"):
        own = subject(name, tmp_path)
        for cell in CELLS:
            size = contender(own.model, 2, 1)
            for seed in range(3):
                run = Run(
                    own, type(size)(cell, size.model, 100, 200), seed, tmp_path / name / f"{cell}-seed{seed}"
                )
                height = 0.6 + 0.1 * seed - 0.3 * (cell not in ("ltc", "gru")) + 0.001 * seed * len(cell)
                found = {part: {} for part in PARTS} | {
                    "task": {"return_mean": 10.0 * seed, "height": height},
                    "corruption": {"area_mean": height, "nominal": 0.05 if cell == "cfc" else 1.0},
                    "out-of-distribution": {"score": None if name == "emps" else height},
                    "lipschitz": {"lower": 0.5, "upper": 2.0 if cell == "ltc" else 4.0},
                    "firmware": {"status": "ok", "instructions_per_step": 1234},
                }
                (run.folder / "figures").mkdir(parents=True)
                (run.folder / "summary.json").write_text('{"rounds": 4}')
                for part, figures in found.items():
                    (run.folder / "figures" / f"{part}.json").write_text(json.dumps(figures))
                runs.append(run)
    return runs


def test_the_report_says_what_the_figures_say(campaign):
    pytest.importorskip("scipy", reason="scipy is not installed (extra: train)")
    from notes.comparison import Comparison
    from notes.tables import markdown

    untrained = campaign[0].folder / "summary.json"
    untrained.unlink()
    document = Comparison.of(campaign).document()
    json.dumps(document, allow_nan=False)
    performance = document["measures"]["performance"]
    assert performance["lstm"]["mean"] == pytest.approx(0.3, abs=0.01)
    assert performance["lstm"]["trainings"] == 2 + 3  # one LTC is not trained, so that its pair is missing
    assert performance["lstm"]["verdict"] == "holds"
    assert performance["gru"]["verdict"] == "does not hold"
    assert document["measures"]["smoothness"]["gru"]["mean"] == pytest.approx(np.log10(2.0))
    verdicts = {one["measures"][0]: one["verdict"] for one in document["promises"]}
    assert verdicts.pop("smoothness") == "holds"
    assert set(verdicts.values()) == {"does not hold"}
    emps = document["subjects"]["emps"]
    assert emps["cells"]["ltc"]["out_of_distribution"] is None
    assert "lstm" not in emps["differences"]["out_of_distribution"]
    assert document["measures"]["corruption_kept"]["cfc"] is None  # it had nothing to keep
    assert emps["cells"]["lstm"]["performance"]["mean"] == pytest.approx(0.4, abs=0.01)
    text = markdown(document)
    assert "1,234" in text
    assert "0.5 to 4" in text
    assert "100 of 200" in text


def test_corrupted_windows_are_the_windows_where_nothing_is_done(monkeypatch):
    from types import SimpleNamespace

    from notes.recordings import sensed, skill

    data = SimpleNamespace(input_normalizer=SimpleNamespace(scale=np.array([2.0, 0.5])), metric="rmse")
    inputs = np.random.default_rng(1).standard_normal((3, 6, 2))
    np.testing.assert_array_equal(sensed(data, inputs, "noise", 0), inputs)
    biased = sensed(data, inputs, "bias", 5) - inputs
    np.testing.assert_allclose(np.abs(biased), np.broadcast_to([2.0, 0.5], inputs.shape))
    assert skill(data, 0.5, 2.0) == pytest.approx(0.75)
    assert skill(data, 3.0, 2.0) == 0.0
    data.metric = "accuracy"
    assert skill(data, 0.9, 0.8) == pytest.approx(0.5)
