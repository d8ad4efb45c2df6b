"""report, as a user meets it."""

import json

import pytest

from ltc_edge.cli.main import main
from ltc_edge.errors import OutputError


@pytest.fixture
def cli(capfd):
    def run(*arguments, expect=0):
        code = 0
        try:
            main(["report", *map(str, arguments)])
        except SystemExit as exited:
            code = exited.code or 0
        out, err = capfd.readouterr()
        assert code == expect, err
        if expect:
            assert err.startswith("Error: ")
            assert err.count("\n") == 1
        return out, err

    return run


def test_json_says_what_was_written(cli, bundle_folder, profile_file, tmp_path):
    output, profiles = tmp_path / "report.html", [profile_file("linux"), profile_file("emulated")]
    out, err = cli(bundle_folder, "--profile", profiles[0], "--profile", profiles[1], "-o", output, "--json")
    assert json.loads(out) == {
        "report": str(output),
        "bytes": output.stat().st_size,
        "profiles": [str(path) for path in profiles],
        "rates": [],
    }
    assert err == ""
    assert output.read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_file_is_replaced_only_with_force(cli, bundle_folder, tmp_path):
    output = tmp_path / "report.html"
    output.write_text("mine")
    _, err = cli(bundle_folder, "-o", output, expect=2)
    assert "exists already" in err
    assert output.read_text() == "mine"
    cli(bundle_folder, "-o", output, "--force")
    assert output.read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_report_does_not_go_into_the_bundle(cli, bundle_folder, monkeypatch):
    monkeypatch.chdir(bundle_folder)
    _, err = cli(".", "-o", "report.html", expect=2)
    assert "is in the bundle" in err
    assert not (bundle_folder / "report.html").exists()


def test_an_interrupted_write_leaves_what_was_there(cli, bundle_folder, tmp_path, monkeypatch):
    output = tmp_path / "report.html"
    output.write_text("mine")

    def full(path, content):
        raise OutputError(f"{path}: cannot be written (No space left on device)")

    monkeypatch.setattr("ltc_edge.files.write_atomically", full)
    cli(bundle_folder, "-o", output, "--force", expect=2)
    assert output.read_text() == "mine"


def test_bad_input_is_one_line_and_nothing_is_written(cli, bundle_folder, profile_file, tmp_path):
    output = tmp_path / "report.html"
    bad = profile_file(valid="<b>yes</b>")
    for arguments in (
        (tmp_path / "nowhere",),
        (bundle_folder, "--profile", tmp_path / "none.json"),
        (bundle_folder, "--profile", bad),
        (bundle_folder, "--profile", profile_file("emulated", subject=None)),
    ):
        cli(*arguments, "-o", output, expect=2)
    assert not output.exists()
