"""The folder of a fleet's profile."""

import csv
import json

import pytest

from ltc_edge.errors import InputError, OutputError
from ltc_edge.profiling.fleet.document import fleet_document, fleet_findings
from ltc_edge.profiling.fleet.files import fleet_csv, refuse_fleet_folder, write_fleet
from ltc_edge.profiling.fleet.run import FleetRun, Outcome
from ltc_edge.profiling.places import Local
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.subject import ModelSubject

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def document(outcome, tmp_path):
    """Of three alike, one of them slow, and one that failed."""
    made = [outcome("a", 10.0), outcome("b", 11.0), outcome("c", 40.0)]
    failed = Outcome(outcome("d").device, "failed", None, "=cmd: no answer", 0.5)
    findings = fleet_findings(FleetRun((*made, failed), interrupted=False), (), ())
    subject = ModelSubject(tmp_path / "m.onnx", "0" * 64, b"", ())
    return fleet_document(subject, Request("", Local()), None, findings)


def test_files(document, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (extra: plots)")
    assert write_fleet(tmp_path / "new" / "out", document) == []
    folder = tmp_path / "new" / "out"
    assert json.loads((folder / "fleet.json").read_text()) == document
    assert (folder / "fleet.png").read_bytes().startswith(PNG)
    assert document["stragglers"] == [{"device": "c", "format": "c-int16"}]


def test_a_row_for_each_device(document):
    rows = {row["device"]: row for row in csv.DictReader(fleet_csv(document).splitlines())}
    assert set(rows) == {"a", "b", "c", "d"}
    assert (rows["c"]["alike_straggler"], rows["a"]["alike_straggler"]) == ("true", "false")
    assert float(rows["b"]["alike_median_us"]) == 11.0
    assert rows["a"]["fact_model"] == "Raspberry Pi 4"
    assert rows["d"]["p50_us"] == ""
    # A spreadsheet would run it.
    assert rows["d"]["device_error"] == "'=cmd: no answer"


def test_old_figures_of_a_device_that_fails_now_go(document, tmp_path):
    for label in ("a", "d"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "profile.json").write_text("old")
        (tmp_path / label / "notes.txt").write_text("mine")
    write_fleet(tmp_path, document)
    assert (tmp_path / "a" / "profile.json").exists()
    assert not (tmp_path / "d" / "profile.json").exists()
    assert (tmp_path / "d" / "notes.txt").read_text() == "mine"


def test_a_folder_that_is_taken(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "profile.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"a: has a profile.csv already; .* --force"):
        refuse_fleet_folder(tmp_path, ["a"], force=False)
    refuse_fleet_folder(tmp_path, ["a"], force=True)
    with pytest.raises(InputError, match=r"Fleet\.JSON is the name of a file"):
        refuse_fleet_folder(tmp_path, ["Fleet.JSON"], force=True)


def test_nothing_is_drawn_where_no_time_was_measured(outcome, tmp_path, document):
    for device in document["devices"].values():
        for reading in device["formats"].values():
            reading["p50_us"] = reading["p99_us"] = None
    (tmp_path / "fleet.png").write_bytes(b"old")
    write_fleet(tmp_path, document)
    assert not (tmp_path / "fleet.png").exists()
