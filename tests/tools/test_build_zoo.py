"""What the zoo is to have: every named task, by commands that can be typed; what is there came of them."""

import dataclasses
import functools
import importlib
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest

from ltc_edge.cli.train import command as train
from ltc_edge.controller_file import load_controller, save_controller
from ltc_edge.errors import InputError, VerificationFailedError
from ltc_edge.logs import LOG_TASKS, SEQUENCE_TASKS
from ltc_edge.tasks import task_names
from ltc_edge.training.choose import choose_plan
from ltc_edge.zoo.archive import read_archive
from ltc_edge.zoo.index import load_index, read_index
from ltc_edge.zoo.page import page_tables
from ltc_edge.zoo.take import take_controller, zoo_bundle

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture(scope="module")
def tool():
    """Imports a part of the tool."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(TOOLS), *sys.path])
        yield lambda name: importlib.import_module(f"zoo_build.{name}")


@pytest.fixture(scope="module")
def listed(tool):
    return tool("wanted").read_wanted()


def test_every_named_task_is_wanted_or_said_to_be_missing(listed):
    wanted, missing = listed
    named = {*task_names(), *LOG_TASKS, *SEQUENCE_TASKS}
    assert {entry.task for entry in wanted} | {each.task for each in missing} == named
    assert load_index().missing == tuple(missing)


def test_every_command_is_a_plan_of_the_cell_it_names(listed):
    for entry in listed[0]:
        words = shlex.split(entry.command(entry.seeds[0]))
        assert words[:2] == ["ltc-edge", "train"]
        said = train.make_context("train", words[2:]).params
        for name in ("output", "resume", "force", "as_json"):
            del said[name]
        plan = choose_plan(said)
        assert plan.model.cell == entry.cell, entry.name
        assert plan.source.name == entry.task
        assert plan.seed == entry.seeds[0]


def test_the_index_is_of_what_is_wanted(listed):
    """Of a change of the list that was not carried out the package must not tell."""
    wanted = {entry.name: entry for entry in listed[0]}
    for entry in load_index().entries.values():
        listed_as = wanted[entry.name]
        assert entry.document["command"] == listed_as.command(entry.document["seeds"]["chosen"])
        assert {run["seed"] for run in entry.document["seeds"]["runs"]} <= set(listed_as.seeds)


KNOWN = load_index().entries["cartpole-ltc-small"]


@pytest.fixture
def runs(tool, tmp_path, monkeypatch):
    """Writes runs of an entry: one for each seed, and whether 16 bits can hold it; the best comes first."""
    measuring, wanted = tool("measuring"), tool("wanted")
    monkeypatch.setattr(measuring, "ExportOptions", functools.partial(measuring.ExportOptions, verify=False))
    take_controller(KNOWN, tmp_path / "known.safetensors")
    sound = load_controller(tmp_path / "known.safetensors")
    units = sound.cell.units
    silent = {name: np.full(units, -20.0, np.float32) for name in ("gleak", "cm")}  # by softplus about 0
    singular = dataclasses.replace(sound, parameters={**sound.parameters, **silent})

    def write(*fit):
        entry = wanted.Wanted(KNOWN.task, KNOWN.cell, KNOWN.size, {}, tuple(range(len(fit))))
        made = []
        for seed, fits in enumerate(fit):
            folder = entry.run(tmp_path, seed)
            folder.mkdir(parents=True)
            save_controller(sound if fits else singular, folder / "controller.safetensors")
            made.append(measuring.Trained(seed, folder, 500.0 - seed))
        return entry, made

    return write


def test_a_seed_that_16_bits_can_hold_goes_before_a_better_one(tool, runs, tmp_path):
    entry, made = runs(False, True)
    best, bundle, refused = tool("measuring")._export(entry, made, tmp_path / "bundle", tmp_path)
    assert best.seed == 1
    assert set(bundle.formats) == {"onnx", "c-float32", "c-int16"}
    assert refused == {0: "ill-conditioned"}


def test_where_no_seed_verifies_in_floats_there_is_no_bundle(tool, runs, tmp_path, monkeypatch):
    def refuse(*_):
        raise VerificationFailedError("onnx: is off", {})

    entry, made = runs(False)
    monkeypatch.setattr(tool("measuring"), "export_bundle", refuse)
    with pytest.raises(VerificationFailedError, match="no seed verifies in c-float32"):
        tool("measuring")._export(entry, made, tmp_path / "bundle", tmp_path)
    assert not (tmp_path / "bundle").exists()


def test_an_entry_that_16_bits_cannot_hold_is_packed_and_says_so(tool, runs, tmp_path, monkeypatch):
    measuring, packing = tool("measuring"), tool("packing")
    entry, made = runs(False, False)
    best, bundle, refused = measuring._export(entry, made, measuring.bundle_folder(entry, tmp_path), tmp_path)
    assert (best.seed, set(bundle.formats)) == (0, {"onnx", "c-float32"})
    reasons = measuring.refusals(bundle.files.manifest["formats"])
    reason = reasons["c-int16"]
    assert "too little for 16 bits" in reason
    figures = {name: said for name, said in KNOWN.document["formats"].items() if name != "c-int16"}
    seeds = {
        **KNOWN.document["seeds"],
        "runs": [
            {"seed": run.seed, "validation": run.validation, "value": 1.0, "refused": refused[run.seed]}
            for run in made
        ],
    }
    said = {"format": "c-float32", "refused": reasons, "formats": figures, "seeds": seeds}

    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setattr(packing, "FOLDER", shelf)
    monkeypatch.setattr(packing, "INDEX", shelf / "index.json")
    packing.put(entry, {**KNOWN.document, **said}, tmp_path, [entry], [])
    index = read_index(shelf / "index.json")
    packed = index.entries[entry.name]
    assert (packed.format, packed.refused) == ("c-float32", {"c-int16": reason})

    card = read_archive(packed, shelf)["model_card.md"].decode()
    assert f"**c-int16 is not there**: {reason}." in card
    assert "Return in c-float32, mean" in card
    assert "| 0, this one, not verified in all formats (ill-conditioned) |" in card
    tables = page_tables(index)
    assert "| ltc small † | " in tables
    assert f"† ltc small: figures are of c-float32; c-int16 is not there: {reason}" in tables
    assert f"{figures['c-float32']['firmware']['cortex-m4']['instructions_per_step']:,}" in tables
    taken = zoo_bundle(packed, shelf)
    assert sorted(taken.formats()) == ["c-float32", "onnx"]
    with pytest.raises(InputError) as told:
        taken.only(["c-int16"])
    assert str(told.value) == (
        f"the zoo has no c-int16 of it, which was refused: {reason}; take c-float32 or onnx"
    )
