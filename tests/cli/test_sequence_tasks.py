"""Tasks over drawn sequences on the command line: trained, evaluated and exported like any other."""

import dataclasses
import json

import pytest

pytest.importorskip("torch", reason="torch is not installed (extra: train)")

from ltc_edge.logs import SEQUENCE_TASKS


@pytest.fixture
def small_copy(monkeypatch):
    small = dataclasses.replace(SEQUENCE_TASKS["copy-first-bit"], rows=3, train=256, validation=64, test=64)
    monkeypatch.setitem(SEQUENCE_TASKS, small.name, small)
    return small


def test_it_is_trained_and_scored_on_its_last_rows(small_copy, tmp_path, cli):
    run = tmp_path / "run"
    options = ("--cell", "gru", "--units", "6", "--rounds", "5", "--batch", "16")
    out, _ = cli("train", small_copy.name, *options, "--learning-rate", "0.03", "-o", run, "--json")
    summary = json.loads(out)
    assert summary["metric"] == "accuracy"
    assert summary["value"] == 1.0  # two distractors after the bit are learned in seconds
    document = json.loads(cli("evaluate", run, "--json")[0])
    assert document["samples"] == small_copy.test
    assert document["value"] == summary["value"]
    assert document["baseline"] < 0.75


def test_it_needs_no_folder_and_has_no_sensors(tmp_path, cli):
    _, err = cli("train", "irregular-xor", "--data-dir", tmp_path, "-o", tmp_path / "run", expect=2)
    assert "--data-dir" in err
    _, err = cli("train", "irregular-xor", "--sensors", "full", "-o", tmp_path / "run", expect=2)
    assert "--sensors" in err


def test_the_list_has_every_task(cli):
    listed = json.loads(cli("tasks", "--json")[0])["sequence_tasks"]
    assert [each["name"] for each in listed] == list(SEQUENCE_TASKS)
    assert all(name in cli("tasks")[0] for name in SEQUENCE_TASKS)
