"""Where a profile is written, and where it is not."""

import csv
import json
from pathlib import Path

import pytest

from ltc_edge.errors import MissingExtraError, OutputError
from ltc_edge.profiling import profile_files
from ltc_edge.profiling.profile_files import refuse_existing, write_profile

DOCUMENT = {
    "format": "ltc-edge profile",
    "kind": "emulated",
    "target": "cortex-m4",
    "valid": True,
    "created": "2026-01-02T03:04:05Z",
    "formats": {"c-int16": {"status": "ok", "bytes": 1200, "flash_bytes": 4000}},
}


def test_written_and_read_back(tmp_path):
    refuse_existing(tmp_path / "a" / "b", force=False)
    assert write_profile(tmp_path / "a" / "b", DOCUMENT) == []
    assert json.loads((tmp_path / "a" / "b" / "profile.json").read_text()) == DOCUMENT
    (row,) = csv.DictReader((tmp_path / "a" / "b" / "profile.csv").read_text().splitlines())
    assert row["flash_bytes"] == "4000"
    assert {path.name for path in (tmp_path / "a" / "b").iterdir()} == {"profile.json", "profile.csv"}


@pytest.mark.parametrize("name", ["profile.json", "profile.csv", "latency.png"])
def test_what_is_there_is_kept_without_force(tmp_path, name):
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"has a {name} already; .* replace it with --force"):
        refuse_existing(tmp_path, force=False)
    assert (tmp_path / name).read_text() == "mine"
    refuse_existing(tmp_path, force=True)


def test_other_files_are_in_nobodys_way(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    refuse_existing(tmp_path, force=False)
    write_profile(tmp_path, DOCUMENT)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "out").write_text("mine")
    for path in (tmp_path / "out", Path("/dev/full")):
        with pytest.raises(OutputError, match="exists and is not a folder; choose another with -o"):
            refuse_existing(path, force=True)
    for path in (tmp_path / "out" / "below", Path("/dev/full/below")):
        with pytest.raises(OutputError, match="cannot be"):
            refuse_existing(path, force=False)


@pytest.mark.parametrize("folder", ["/proc", "/proc/none"])
def test_a_folder_that_takes_no_files_is_refused_before_anything_is_measured(folder):
    with pytest.raises(OutputError, match=f"{folder}: cannot be") as caught:
        refuse_existing(Path(folder), force=False)
    assert "\n" not in str(caught.value)


def test_a_probe_leaves_nothing(tmp_path):
    for folder in (tmp_path, tmp_path / "a" / "b"):
        refuse_existing(folder, force=False)
        assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_where_writing_fails(tmp_path):
    write_profile(tmp_path, DOCUMENT)
    before = (tmp_path / "profile.json").read_bytes()
    with pytest.raises(ValueError, match="Out of range float"):
        write_profile(tmp_path, DOCUMENT | {"value": float("nan")})
    assert (tmp_path / "profile.json").read_bytes() == before


def test_a_picture_that_cannot_be_drawn_is_a_note(tmp_path, monkeypatch):
    def draw(*_):
        raise MissingExtraError("matplotlib is not installed")

    monkeypatch.setattr(profile_files, "can_draw", lambda _: True)
    monkeypatch.setattr(profile_files, "draw_histograms", draw)
    assert write_profile(tmp_path, DOCUMENT) == ["latency.png was not drawn: matplotlib is not installed"]
    assert (tmp_path / "profile.json").exists()
