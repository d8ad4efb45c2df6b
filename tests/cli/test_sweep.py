"""``ltc-edge sweep``: with replicates that train nothing, and once for real."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("optuna")
from toy_sweep import Scrambled

from ltc_edge.cli import sweep_run
from ltc_edge.sweep.lock import locked


@pytest.fixture(autouse=True)
def engine(monkeypatch):
    """Trials train nothing; tools are not asked for, and the disk is not waited for."""

    class Inline(Scrambled):
        made: ClassVar[list[Scrambled]] = []
        interrupt_after: int | None = None

        def __init__(self, trials):
            super().__init__(trials, 2, random.Random(0))
            self.made.append(self)

        def wait(self, timeout_s=None):
            if self.interrupt_after is not None and len(self.done) >= self.interrupt_after:
                raise KeyboardInterrupt
            return super().wait(timeout_s)

    monkeypatch.setattr(sweep_run, "make_engine", lambda _, __, trials: Inline(trials))
    monkeypatch.setattr("ltc_edge.sweep.tools.check_tools", lambda *_: None)
    monkeypatch.setattr(sweep_run, "check_tools", lambda *_: None)
    monkeypatch.setattr("os.fsync", lambda _: None)
    monkeypatch.setattr("ltc_edge.sweep.front_files.can_draw", lambda _: False)
    return Inline


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sweep"


def start(folder, *more):
    return ("sweep", "cartpole", "-o", folder, "--trials", 6, "--seeds", 1, *more)


def test_the_front_the_pick_and_the_files(cli, folder):
    out, err = cli(*start(folder, "--budget", "instructions<900"))
    assert "trials are on the front" in out
    assert f"Next: ltc-edge export {folder}/trials/" in out
    assert "trial 5 (6/6): " in err
    assert {"front.json", "front.csv", "front.html"} <= {path.name for path in folder.iterdir()}


def test_json_has_the_documented_keys(cli, folder):
    out, _ = cli(*start(folder), "--json")
    document = json.loads(out)
    assert set(document) == {
        "sweep", "task", "objectives", "budget", "trials", "complete", "feasible", "pruned", "failed",
        "front", "pick", "why_none", "seconds",
    }  # fmt: skip
    assert document["trials"] == 6
    assert document["objectives"] == ["return", "instructions", "error"]
    numbers = [trial["number"] for trial in document["front"]]
    assert document["pick"]["trial"] in numbers


def test_a_sweep_goes_on_to_the_same_front(cli, folder, engine, tmp_path):
    undisturbed = json.loads(cli(*start(tmp_path / "other"), "--json")[0])
    engine.interrupt_after = 3
    _, err = cli(*start(folder), expect=130)
    assert err.splitlines()[-1] == f"Interrupted. Go on with: ltc-edge sweep --resume -o {folder}"
    engine.interrupt_after = None
    out, err = cli("sweep", "--resume", "-o", folder, "--json")
    assert "Continuing after" in err
    resumed = json.loads(out)
    for document in (resumed, undisturbed):
        del document["seconds"], document["sweep"]
    assert resumed == undisturbed
    made = len(engine.made)
    cli("sweep", "--resume", "-o", folder)
    assert len(engine.made) == made  # nothing was left to do
    out, _ = cli("sweep", "--resume", "-o", folder, "--trials", 8, "--json")
    assert json.loads(out)["trials"] == 8


def test_a_budget_can_be_asked_of_a_sweep_that_is_there(cli, folder):
    cli(*start(folder))
    out, _ = cli("sweep", "-o", folder, "--pick", "--budget", "instructions<1", expect=1)
    assert "Nothing to recommend: no trial keeps the budget" in out
    generous = json.loads(cli("sweep", "-o", folder, "--pick", "--budget", "instructions<1e6", "--json")[0])
    assert generous["pick"] is not None


def test_a_sweep_that_finds_nothing_to_ship_has_not_done_what_it_was_asked(cli, folder):
    document = json.loads(cli(*start(folder, "--budget", "instructions<1"), "--json", expect=1)[0])
    assert (document["front"], document["pick"]) == ([], None)
    assert "no trial keeps the budget" in document["why_none"]
    cli("sweep", "--resume", "-o", folder, expect=1)


def test_proxies_are_confirmed(cli, folder, engine):
    out, err = cli(*start(folder), "--proxy", "--json")
    document = json.loads(out)
    confirmed = [work for each in engine.made for work in each.done if work.confirm]
    assert {trial["number"] for trial in document["front"]} <= {work.trial for work in confirmed}
    assert "for real" in err
    assert all(not work.measure["proxy"] for work in confirmed)
    made = len(engine.made)
    assert json.loads(cli("sweep", "--resume", "-o", folder, "--json")[0])["front"] == document["front"]
    assert len(engine.made) == made


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("cartpool",), "did you mean 'cartpole'"),
        ((), "say TASK, --env or --data; of a sweep that is there, --resume or --pick"),
        (("cartpole", "--budget", "flesh<9"), "flash"),
        (("cartpole", "--objectives", "retrun"), "return"),
        (("cartpole", "--cell", "ltx"), "ltx"),
        (("cartpole", "--units", "9:4"), "begins above its end"),
        (("cartpole", "--trials", "0"), "--trials"),
        (("cartpole", "--value-weight", "nan"), "nan is not a finite number"),
        (("cartpole", "--storage", "somewhere"), "is no URL of a database"),
        (("cartpole", "--address", "auto", "--workers", "2"), "--address is for --engine ray"),
        (("cartpole", "--engine", "ray"), "pip install 'ltc-edge[cluster]'"),
    ],
)
def test_bad_input_is_one_line(cli, folder, options, said, monkeypatch):
    from ltc_edge.cli.sweep_request import make_engine

    monkeypatch.setattr(sweep_run, "make_engine", make_engine)
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    _, err = cli("sweep", *options, "-o", folder, expect=2)
    assert said in err
    assert len(err.splitlines()) == 1
    assert not folder.exists()


def test_folders_are_not_mixed_up(cli, folder, tmp_path):
    cli(*start(folder))
    assert "exists already" in cli(*start(folder), expect=2)[1]
    assert "holds no sweep" in cli("sweep", "--resume", "-o", tmp_path / "none", expect=2)[1]
    assert "holds no sweep" in cli("sweep", "--pick", "-o", tmp_path / "none", expect=2)[1]
    assert "not of pendulum" in cli("sweep", "pendulum", "--resume", "-o", folder, expect=2)[1]
    (tmp_path / "mine").write_text("precious")
    assert "is no sweep" in cli(*start(tmp_path), "--force", expect=2)[1]
    cli(*start(folder), "--force")


def test_what_is_fixed_cannot_be_said_again(cli, folder):
    cli(*start(folder))
    assert "leave out --seeds" in cli("sweep", "--resume", "-o", folder, "--seeds", 3, expect=2)[1]
    assert "leave out --trials" in cli("sweep", "--pick", "-o", folder, "--trials", 3, expect=2)[1]
    text = (folder / "sweep.json").read_text()
    (folder / "sweep.json").write_text(text.replace('"seeds": 1', '"seeds": 2'))
    assert "was edited" in cli("sweep", "--resume", "-o", folder, expect=2)[1]


def test_two_drivers_do_not_share_a_folder(cli, folder):
    cli(*start(folder))
    with locked(folder):
        assert "under way" in cli("sweep", "--resume", "-o", folder, expect=2)[1]
        assert "under way" in cli(*start(folder), "--force", expect=2)[1]


def test_a_study_may_be_in_a_database(cli, folder, tmp_path):
    storage = f"sqlite:///{tmp_path}/sweeps.db"
    cli("sweep", "cartpole", "-o", folder, "--trials", 1, "--seeds", 1, "--storage", storage)
    assert not Path(folder / "study.journal").exists()
    cli("sweep", "--resume", "-o", folder, "--storage", storage)
    _, err = cli("sweep", "--resume", "-o", folder, "--storage", "sqlite:////tmp/other.db", expect=2)
    assert f"the study of this sweep is in {storage}" in err
