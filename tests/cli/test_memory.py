"""``ltc-edge memory``, and the advice of ``ltc-edge train``."""

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.logs import SEQUENCE_TASKS
from ltc_edge.training.options import ImitationOptions, ModelOptions
from ltc_edge.training.session import Plan, start_run
from ltc_edge.training.sources import TaskSource


class Nobody:
    def begin(self, rounds, completed):
        pass

    def tick(self, index, share):
        pass

    def record(self, record):
        pass


@pytest.fixture(scope="module")
def cartpole(tmp_path_factory):
    run = tmp_path_factory.mktemp("memory") / "cartpole"
    options = ImitationOptions(
        rounds=1, updates=2, batch=8, window=8, burn_in=2, episodes=4, episode_steps=20,
        validation_episodes=2, validate_every=1,
    )  # fmt: skip
    model = ModelOptions(units=4, wiring="dense", unfolds=1)
    start_run(Plan(TaskSource("cartpole"), options, model), run, Nobody())
    return run


def test_a_control_task_is_measured_along_its_episodes(cartpole, cli):
    document = json.loads(cli("memory", cartpole, "--lags", "10", "--sequences", "3", "--json")[0])
    assert document["lags"] <= 10
    assert document["data"] is None
    assert (cartpole / "memory.png").read_bytes().startswith(b"\x89PNG")
    for figures in (document, document["untrained"]):
        for name in ("state", "action"):
            assert len(figures[name]["gradient"]) == document["lags"]
            assert figures[name]["gradient"][0] > 0
    other = cartpole / "other.png"
    out, _ = cli("memory", cartpole, "--lags", "5", "--sequences", "2", "--picture", other)
    assert "untrained" in out
    assert other.exists()


@pytest.fixture
def small_copy(monkeypatch):
    small = dataclasses.replace(SEQUENCE_TASKS["copy-first-bit"], rows=24, train=320, validation=160, test=64)
    monkeypatch.setitem(SEQUENCE_TASKS, small.name, small)
    return small


def test_training_says_what_the_data_ask_for(small_copy, tmp_path, cli):
    run = tmp_path / "run"
    options = ("--cell", "ltc", "--units", "4", "--wiring", "dense", "--unfolds", "1", "--rounds", "1")
    out, _ = cli("train", small_copy.name, *options, "--batch", "64", "-o", run)
    assert "Advice: label depends on 'bit' 23 steps back" in out
    assert "try --mixed-memory" in out
    found = json.loads((run / "summary.json").read_text())["memory"]
    assert found["dependency"]["lag"] == 23
    document = json.loads(cli("memory", run, "--json")[0])
    assert document["data"] == found
    assert document["state"]["horizon"] < 23


def test_a_network_with_a_memory_is_not_advised_to_have_one(small_copy, tmp_path, cli):
    run = tmp_path / "run"
    options = ("--cell", "gru", "--units", "4", "--rounds", "1", "--batch", "64")
    out, _ = cli("train", small_copy.name, *options, "-o", run)
    assert "Advice" not in out


def test_autoregressive_recordings_get_no_advice(tmp_path, cli):
    rng = np.random.default_rng(0)
    for number in range(4):
        u = np.zeros(1500)
        for step, shock in enumerate(rng.normal(size=1499)):
            u[step + 1] = 0.8 * u[step] + shock
        y = np.convolve(u, [0.5, 0.3, 0.2])[:1500]
        rows = "\n".join(f"{a:.6f},{b:.6f}" for a, b in zip(u, y, strict=True))
        (tmp_path / f"log{number}.csv").write_text(f"u,y\n{rows}\n")
    data = ("--data", str(tmp_path / "log*.csv"), "--inputs", "u", "--targets", "y", "--period", "0.1")
    options = ("--units", "6", "--rounds", "3", "--window", "16", "--batch", "32")
    out, _ = cli("train", *data, *options, "-o", tmp_path / "run", "--json")
    memory = json.loads(out)["memory"]
    assert memory["advice"] is None
    assert memory["dependency"] is None


def test_what_cannot_be_measured_is_refused(tmp_path, cartpole, cli):
    assert "no such run folder" in cli("memory", tmp_path / "none", expect=2)[1]
    assert "--lags" in cli("memory", cartpole, "--lags", "1", expect=2)[1]
