"""Work that is kept: interrupted, damaged, on several processes."""

import dataclasses
import functools
import json
import operator
import signal

import pytest

from ltc_edge.evaluation.descent import sweep
from ltc_edge.evaluation.descent.outcome import Outcome, Point
from ltc_edge.evaluation.descent.store import Store
from ltc_edge.evaluation.descent.sweep import Grid, run_sweep
from ltc_edge.evaluation.descent.workers import WorkerDiedError, run_all

GRID = Grid((3, 6, 12), (0.0, 0.2), (0, 1))


@pytest.fixture
def settings(features):
    return features(6)


def _files(folder):
    return {path.name: path.read_bytes() for path in (folder / "results").iterdir()}


def test_results_do_not_depend_on_the_number_of_processes(noise, settings, tmp_path):
    kept = []
    for jobs in (1, 2):
        folder = tmp_path / str(jobs)
        shares = []
        run_sweep(
            noise, settings, GRID, Store(folder, noise.sha256, settings), jobs=jobs, on_share=shares.append
        )
        assert shares == sorted(shares)
        assert shares[-1] == pytest.approx(1.0)
        kept.append(_files(folder))
    assert len(kept[0]) == 12
    assert kept[0] == kept[1]


def test_only_what_is_missing_or_damaged_is_made_again(noise, settings, tmp_path, monkeypatch):
    made = []
    fit = sweep.fit

    def counted(subject, settings, point):
        if len(made) == 5:
            raise KeyboardInterrupt
        made.append(point)
        return fit(subject, settings, point)

    monkeypatch.setattr(sweep, "fit", counted)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(noise, settings, GRID, Store(tmp_path, noise.sha256, settings))
    assert len(_files(tmp_path)) == 5
    monkeypatch.setattr(sweep, "fit", fit)
    outcomes = run_sweep(noise, settings, GRID, Store(tmp_path, noise.sha256, settings))
    whole = _files(tmp_path)
    assert list(made) == GRID.points[:5]

    store = Store(tmp_path, noise.sha256, settings)
    cut, edited, foreign = (store.path(point) for point in GRID.points[:3])
    cut.write_bytes(cut.read_bytes()[:-20])
    document = json.loads(edited.read_text())
    document["result"]["test_error"] *= 0.5
    edited.write_text(json.dumps(document))
    foreign.write_bytes(store.path(GRID.points[3]).read_bytes())
    made.clear()
    monkeypatch.setattr(sweep, "fit", lambda *said: (made.append(said[2]), fit(*said))[1])
    assert run_sweep(noise, settings, GRID, store) == outcomes
    assert made == GRID.points[:3]
    assert store.damaged == [cut, edited, foreign]
    assert _files(tmp_path) == whole


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"definition": 1}', b"[" * 5000])
def test_any_damage_is_noticed(noise, settings, tmp_path, content):
    store, point = Store(tmp_path, noise.sha256, settings), Point(3, 0.0, 0)
    assert store.read(point) is None
    assert not store.damaged
    store.write(point, Outcome(3, 0.1, 0.2, 0.0, "closed-form", 0, 0.3, None))
    assert store.read(point) == Outcome(3, 0.1, 0.2, 0.0, "closed-form", 0, 0.3, None)
    store.path(point).write_bytes(content)
    assert store.read(point) is None
    assert store.damaged == [store.path(point)]


def test_other_data_and_other_settings_are_other_results(noise, settings, tmp_path):
    point = Point(3, 0.0, 0)
    stores = [
        Store(tmp_path, noise.sha256, settings),
        Store(tmp_path, "0" * 64, settings),
        *(
            Store(tmp_path, noise.sha256, dataclasses.replace(settings, **change))
            for change in ({"windows": 7}, {"updates": 1}, {"learning_rate": 0.1}, {"unfolds": 2})
        ),
    ]
    assert len({store.path(point) for store in stores}) == len(stores)


def test_a_worker_that_is_killed_is_named_with_its_work():
    with pytest.raises(WorkerDiedError, match=r"was killed by SIGKILL while it was on 9; was memory short\?"):
        list(run_all(signal.raise_signal, [signal.SIGKILL.value] * 2, 2))


def test_an_error_in_a_worker_is_raised_here():
    with pytest.raises(ZeroDivisionError):
        list(run_all(functools.partial(operator.floordiv, 6), [1, 2, 0], 2))
