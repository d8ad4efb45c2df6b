"""The index of the zoo: what it lists is there, is what it pins, and is what it says."""

import json
from pathlib import Path

import pytest

from ltc_edge.errors import BundleError, InputError
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.zoo.archive import archive_path, read_archive
from ltc_edge.zoo.entry import FORMAT, TARGET, Entry
from ltc_edge.zoo.index import FOLDER, INDEX, load_index, read_index
from ltc_edge.zoo.page import BEGIN, END, page_tables

ENTRIES = list(load_index().entries.values())
MOST_BYTES = 5_000_000
PAGE = Path(__file__).parents[2] / "docs" / "zoo.md"


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_package_holds_the_entry_that_the_index_describes(entry):
    files = read_archive(entry)  # which compares its digest
    document = entry.document
    controller = controller_from_bytes(files["controller.onnx"], entry.name)
    assert controller.cell.kind == entry.cell
    assert controller.cell.units == document["units"]
    assert controller.parameters_effective() == document["parameters_effective"]
    manifest = json.loads(files["manifest.json"])
    assert manifest["source"]["name"] == entry.task
    assert manifest["parameters_effective"] == document["parameters_effective"]
    assert document["archive_bytes"] == archive_path(entry).stat().st_size


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_the_card_says_what_the_index_says(entry):
    card = read_archive(entry)["model_card.md"].decode()
    document = entry.document
    assert f"## In the zoo: {entry.name}" in card
    assert f"    {document['command']}\n" in card
    for run in document["seeds"]["runs"]:
        assert f"| {run['validation']:.6g} | {run['value']:.6g} |" in card
    for target, costs in document["formats"][entry.format]["firmware"].items():
        figures = " | ".join(str(costs[name]) for name in ("flash_bytes", "ram_bytes", "stack_bytes"))
        assert f"| {entry.format} | {target} | {figures} | {costs['instructions_per_step']} |" in card
    assert TARGET in document["formats"][entry.format]["firmware"]
    for name, reason in entry.refused.items():
        assert f"**{name} is not there**: {reason}." in card
    # A controller that does not do its task must say so.
    if document["metric"] == "return" and document["score"]["normalised"] < 0.95:
        assert "It does its task only in part" in card


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_an_entry_has_every_format_or_says_why_not(entry):
    """Its figures are of 16-bit integers wherever it has them."""
    manifest = json.loads(read_archive(entry)["manifest.json"])
    there = {name for name, said in manifest["formats"].items() if said["status"] == "ok"}
    assert there == set(entry.document["formats"])
    assert there | set(entry.refused) == {"onnx", "c-float32", "c-int16"}
    assert not there & set(entry.refused)
    assert entry.format == (FORMAT if FORMAT in there else "c-float32")


def test_a_document_that_does_not_name_its_format_is_of_16_bit_integers():
    document = {key: value for key, value in ENTRIES[0].document.items() if key not in ("format", "refused")}
    entry = Entry.from_json(ENTRIES[0].name, document)
    assert (entry.format, entry.refused) == ("c-int16", {})
    with pytest.raises(ValueError, match="has no tflite"):
        Entry.from_json(ENTRIES[0].name, {**document, "format": "tflite"})


def test_no_entry_tells_of_the_machine_that_made_it():
    for entry in ENTRIES:
        for name, content in read_archive(entry).items():
            assert b"/work/" not in content, (entry.name, name)
            assert b"/home/" not in content, (entry.name, name)


def test_the_whole_zoo_is_small_and_nothing_lies_about():
    archives = sorted((FOLDER / "entries").iterdir())
    assert [path.stem for path in archives] == sorted(entry.name for entry in ENTRIES)
    assert sum(path.stat().st_size for path in [INDEX, *archives]) <= MOST_BYTES


def test_the_page_has_the_tables_of_the_index():
    text = PAGE.read_text(encoding="utf-8")
    assert text.split(BEGIN)[1].split(END)[0].strip() == page_tables(load_index())


def test_an_entry_is_found_by_its_name_or_its_task():
    index = load_index()
    first = ENTRIES[0]
    assert index.find(first.name) is first
    assert index.find(first.task, first.cell, first.size) is first
    assert index.find(first.task, first.cell).cell == first.cell
    assert index.choose(first.task, first.cell)[0] is first


def test_what_is_not_there_is_refused_with_what_comes_nearest():
    index = load_index()
    name = ENTRIES[0].name
    with pytest.raises(InputError, match=f"did you mean '{name}'"):
        index.find(name + "x")
    with pytest.raises(InputError, match="leave --cell and --size out"):
        index.find(name, "cfc")
    with pytest.raises(InputError, match="zoo list"):
        index.choose("nothing-like-it")
    for missing in index.missing:
        with pytest.raises(InputError) as refused:
            index.find(missing.task)
        assert missing.reason in str(refused.value)


def edited(tmp_path, change):
    document = json.loads(INDEX.read_text(encoding="utf-8"))
    change(document)
    path = tmp_path / "index.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def rename(document):
    document["entries"]["other"] = document["entries"].pop(ENTRIES[0].name)


def shorten(document):
    document["entries"][ENTRIES[0].name]["sha256"]["manifest"] = "abc"


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.update(schema=2),
        lambda document: document.pop("missing"),
        rename,
        shorten,
        lambda document: document["entries"][ENTRIES[0].name].update(score=None),
        lambda document: document["entries"][ENTRIES[0].name]["score"].update(value="much"),
    ],
)
def test_a_damaged_index_is_refused(change, tmp_path):
    with pytest.raises(BundleError, match=r"index of the zoo is damaged .*; install ltc-edge again"):
        read_index(edited(tmp_path, change))


def test_an_index_cut_short_is_refused(tmp_path):
    path = tmp_path / "index.json"
    path.write_bytes(INDEX.read_bytes()[:-10])
    with pytest.raises(BundleError, match="damaged"):
        read_index(path)
