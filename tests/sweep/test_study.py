"""The same sweep gives the same trials, whoever did the work, in which order, and after whatever ended it."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("optuna")
from optuna.storages.journal import JournalFileBackend
from toy_sweep import Quiet, Scrambled, plan, record_of, study_in

from ltc_edge.errors import ControllerFileError
from ltc_edge.sweep.driver import run_sweep
from ltc_edge.sweep.search import Search
from ltc_edge.sweep.storage import JOURNAL

SAMPLERS = ("nsga2", "tpe", "random")


class KilledError(BaseException):
    """Stands for SIGKILL: nothing of ours catches it."""


def swept(folder, asked_for, *, slots=1, seed=0, loses=0.0, total=None):
    folder.mkdir(exist_ok=True)
    study = study_in(folder, asked_for)
    engine = Scrambled(folder, slots, random.Random(seed), loses)
    run_sweep(study, engine, folder, total or asked_for.trials, Quiet())
    return study


@pytest.fixture(autouse=True, scope="module")
def _no_disk():
    """A power cut is not among these trials: do not wait for the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="module", params=SAMPLERS)
def undisturbed(request, tmp_path_factory):
    """A plan, and what one worker makes of it."""
    asked_for = plan(sampler=request.param)
    return asked_for, record_of(swept(tmp_path_factory.mktemp("undisturbed"), asked_for))


def test_a_sweep_has_all_kinds_of_trials(undisturbed):
    asked_for, record = undisturbed
    assert [asked.number for asked, _ in record] == list(range(asked_for.trials))
    states = {told.state for _, told in record}
    assert states >= {"complete", "failed"}
    assert len({tuple(sorted(asked.settings.items())) for asked, _ in record}) == asked_for.trials


@pytest.mark.parametrize("seed", range(2))
def test_neither_workers_nor_losses_matter(tmp_path, undisturbed, seed):
    asked_for, record = undisturbed
    study = swept(tmp_path, asked_for, slots=(2, 16)[seed], seed=seed, loses=0.3 * seed)
    assert record_of(study) == record


@pytest.mark.parametrize("seed", range(2))
def test_a_driver_that_is_killed_while_it_writes_goes_on(tmp_path, undisturbed, seed, monkeypatch):
    asked_for, record = undisturbed
    rng = random.Random(seed)
    append = JournalFileBackend.append_logs
    left = [0]

    def killed_at_some_record(backend, logs):
        if left[0] == 0:
            if rng.random() < 0.5:  # in the middle of a line
                with (tmp_path / JOURNAL).open("ab") as file:
                    file.write(b'{"op_code": 4, "wor')
            raise KilledError
        left[0] -= 1
        append(backend, logs)

    monkeypatch.setattr(JournalFileBackend, "append_logs", killed_at_some_record)
    lives = 0
    while True:
        left[0] = rng.randint(1, 35)
        lives += 1
        try:
            study = swept(tmp_path, asked_for, slots=rng.choice((1, 2, 5)), seed=lives, loses=0.1)
            break
        except KilledError:
            continue
    assert lives > 2
    assert record_of(study) == record


def test_more_trials_are_those_that_more_at_once_would_have_been(tmp_path, undisturbed):
    asked_for, record = undisturbed
    swept(tmp_path, asked_for, total=7)
    swept(tmp_path, asked_for, total=13, slots=4)
    assert record_of(swept(tmp_path, asked_for, slots=2)) == record


def test_another_seed_gives_other_trials(tmp_path):
    first = swept(tmp_path / "first", plan(trials=5))
    second = swept(tmp_path / "second", plan(trials=5, seed=1))
    assert [each.settings for each in first.asked] != [each.settings for each in second.asked]


def test_a_small_space_is_searched_once(tmp_path):
    from ltc_edge.sweep.space import make_space

    few = {"cell": "ltc", "wiring": "dense", "units": "4,8", "unfolds": "1:2", "format": "c-int16"}
    small = make_space(plan().measure.source, 1, few)
    asked_for = plan(budget="")
    study = swept(tmp_path, type(asked_for)(asked_for.measure, small, name="few", trials=40, give_up=0.0))
    assert study.is_exhausted
    assert len(study.told) == 4


def test_a_trial_is_asked_with_what_it_may_know_alone(tmp_path):
    study = swept(tmp_path, plan(trials=12, lookahead=3, sampler="tpe"))
    search = Search(study.plan)
    for number, asked in enumerate(study.asked):
        assert search.knows(number) == max(0, number - 2)
        found = search.ask(study.told[: search.knows(number)])
        assert found.user_attrs["settings"] == asked.settings


def test_a_study_that_no_sweep_made_is_refused(tmp_path):
    import optuna

    asked_for = plan()
    storage = study_in(tmp_path, asked_for)._storage
    foreign = optuna.load_study(study_name=asked_for.name, storage=storage)
    foreign.tell(foreign.ask(), [1.0, 2.0, 3.0])
    with pytest.raises(ControllerFileError, match="no sweep asked for"):
        study_in(tmp_path, asked_for)


def test_what_is_told_is_in_the_study_for_other_programs(tmp_path):
    import optuna

    study = swept(tmp_path, plan(trials=8))
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(tmp_path / JOURNAL)))
    trials = optuna.load_study(study_name="toy", storage=storage).trials
    assert [trial.state.is_finished() for trial in trials] == [True] * 8
    for trial, told in zip(trials, study.told, strict=True):
        assert tuple(trial.values or ()) == told.values
        assert trial.constraints == dict(told.violations)
