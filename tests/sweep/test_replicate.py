"""Doing a replicate: the same figures whenever and however often, and outcomes where there are none."""

import os
import shutil
import signal

import pytest

from ltc_edge.errors import MissingToolError, OutputError, TrainingDivergedError
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.sweep import giving_up, replicate, workshop
from ltc_edge.sweep.budget import read_budget
from ltc_edge.sweep.performance import performance
from ltc_edge.sweep.replicate import do_replicate
from ltc_edge.sweep.work import Outcome, outcome_file_of, run_folder_of
from ltc_edge.training.run_folder import RunFolder

OBJECTIVES = ("return", "error", "instructions")
EPISODES = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of trials that the tests of this module share."""
    return tmp_path_factory.mktemp("sweep") / "trials"


@pytest.fixture
def finished(folder, work):
    """The folder with a replicate that nothing disturbed, its work and its outcome; done by the first."""
    asked = work(objectives=OBJECTIVES, episodes=EPISODES, giving_up={0: 1e6, 1: -1e6})
    return folder, asked, do_replicate(asked, folder)


def test_a_replicate_has_its_figures_its_run_and_its_outcome(finished):
    trials, work, outcome = finished
    run = RunFolder(run_folder_of(trials, work))
    assert outcome.state == "complete"
    assert outcome.figures.keys() == {
        "parameters",
        "return",
        "error",
        "instructions",
        "flash",
        "ram",
        "stack",
    }
    assert outcome.figures["parameters"] == run.controller().parameters_effective()
    assert 0.0 < outcome.figures["error"] < 0.1
    assert outcome.figures["instructions"] > 200
    assert [index for index, _ in outcome.curve] == [1]
    assert outcome.curve[0][1] == run.summary()["validation"]
    assert Outcome.read(outcome_file_of(trials, work), work) == outcome
    assert list(outcome.seconds) == [
        *("load", "screen", "train", "export", "compile", "evaluate", "error", "emulate")
    ]


def test_the_return_is_of_the_search_s_own_episodes(finished):
    trials, work, outcome = finished
    task = workshop.load(replicate.MeasurementPlan.from_json(work.measure).source)
    trained = RunFolder(run_folder_of(trials, work)).controller()
    exact = performance(task, trained, ReferenceBatch(trained), EPISODES)
    assert outcome.figures["return"] == pytest.approx(exact, rel=0.02)
    assert outcome.figures["return"] != exact  # the integers', not the float controller's


def test_a_second_call_does_nothing(finished, monkeypatch):
    trials, work, outcome = finished
    monkeypatch.setattr(replicate, "load", lambda _: pytest.fail("it was done again"))
    assert do_replicate(work, trials) == outcome


def test_after_a_kill_in_the_middle_of_training_it_comes_to_the_same(finished, tmp_path):
    _, work, outcome = finished

    def die(stage, share):
        if stage == "train" and share > 0.55:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        do_replicate(work, tmp_path, die)
        os._exit(0)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert RunFolder(run_folder_of(tmp_path, work)).checkpoint().round == 0
    assert not outcome_file_of(tmp_path, work).exists()
    again = do_replicate(work, tmp_path)
    assert (again.figures, again.curve) == (outcome.figures, outcome.curve)


def test_a_lost_outcome_is_measured_again_without_training(finished, monkeypatch):
    trials, work, outcome = finished
    outcome_file_of(trials, work).unlink()
    monkeypatch.setattr(replicate, "train", lambda *_: pytest.fail("it was trained again"))
    again = do_replicate(work, trials)
    assert (again.figures, again.curve) == (outcome.figures, outcome.curve)


def test_what_is_too_large_is_not_trained(work, tmp_path, monkeypatch):
    monkeypatch.setattr(replicate, "train", lambda *_: pytest.fail("it was trained"))
    outcome = do_replicate(work({"format": "c-float32"}, budget=read_budget("flash<1000")), tmp_path)
    flash = outcome.figures["flash"]
    assert (outcome.state, outcome.reason) == ("pruned", f"flash {flash:,.0f} > 1,000 before training")
    assert outcome.curve == ()


def test_what_is_hopeless_is_given_up_and_can_go_on(work, tmp_path, monkeypatch):
    hopeless = work(giving_up={1: 1e6}, training={"rounds": 3})
    outcome = do_replicate(hopeless, tmp_path)
    path = run_folder_of(tmp_path, hopeless)
    assert outcome.state == "pruned"
    assert outcome.reason == (
        f"return {outcome.curve[0][1]:.6g} after round 2, when 1e+06 was the least worth going on with"
    )
    assert [index for index, _ in outcome.curve] == [1]
    assert RunFolder(path).summary() is None

    outcome_file_of(tmp_path, hopeless).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(giving_up, "resume_run", lambda *_, **__: pytest.fail("it went on"))
        assert do_replicate(hopeless, tmp_path).reason == outcome.reason
    assert RunFolder(path).checkpoint().round == 1  # from which it could go on


def test_a_form_that_cannot_be_had_fails_before_training(work, tmp_path, monkeypatch):
    monkeypatch.setattr(replicate, "train", lambda *_: pytest.fail("it was trained"))
    outcome = do_replicate(work({"solver": "euler"}), tmp_path)
    assert outcome.state == "failed"
    assert "proved bounded" in outcome.reason


def test_training_that_diverges_has_failed(work, tmp_path, monkeypatch):
    def diverge(*_):
        raise TrainingDivergedError("the loss is nan at update 3")

    monkeypatch.setattr(replicate, "train", diverge)
    outcome = do_replicate(work(), tmp_path)
    assert (outcome.state, outcome.reason) == ("failed", "the loss is nan at update 3")


@pytest.mark.parametrize("fault", [MissingToolError("no compiler"), OutputError("the disk is full")])
def test_faults_of_the_machine_are_no_outcomes(fault, work, tmp_path, monkeypatch):
    def fail(*_):
        raise fault

    monkeypatch.setattr(replicate, "train", fail)
    with pytest.raises(type(fault)):
        do_replicate(work(), tmp_path)
    assert not outcome_file_of(tmp_path, work()).exists()


def test_a_run_of_other_settings_in_its_place_is_trained_anew(finished, work, tmp_path, monkeypatch):
    trials, done, _ = finished
    shutil.copytree(run_folder_of(trials, done), run_folder_of(tmp_path, done))
    begun = []
    monkeypatch.setattr(
        giving_up, "start_run", lambda plan, path, *_, **__: begun.append((plan.model.units, path.exists()))
    )
    assert do_replicate(work({"units": 3}), tmp_path).state == "failed"  # since nothing was trained here
    assert begun == [(3, False)]


def test_proxies_are_near_what_confirms_them(finished, work):
    trials, _, measured = finished
    proxied = work(objectives=OBJECTIVES, episodes=EPISODES, proxy=True)
    outcome_file_of(trials, proxied).unlink()
    estimate = do_replicate(proxied, trials)
    assert not {"compile"} & estimate.seconds.keys()
    assert estimate.figures["return"] == pytest.approx(measured.figures["return"], rel=0.02)
    assert estimate.figures["ram"] == measured.figures["ram"]
    assert estimate.figures["instructions"] == pytest.approx(measured.figures["instructions"], rel=0.3)
    assert estimate.figures["flash"] == pytest.approx(measured.figures["flash"], rel=0.15)
    assert 0.3 < estimate.figures["error"] / measured.figures["error"] < 3.0

    confirmed = work(objectives=OBJECTIVES, episodes=EPISODES, proxy=True, confirm=True)
    assert do_replicate(confirmed, trials).figures == measured.figures
    assert outcome_file_of(trials, confirmed).name == "seed-0.confirmed.json"
