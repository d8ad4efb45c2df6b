"""``ltc-edge run``: from the command to the last action, its log and its page, and what it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from loop_programs import TIMEOUT_S, Plant
from made_once import FOLDER

from ltc_edge.deploy.linux.build import Program

COMMAND = (sys.executable, "-c", "from ltc_edge.cli.main import main; main()", "run")
ACTIVE = 2


@pytest.fixture(autouse=True)
def cache(monkeypatch):
    """Programs are kept for the tests alone, and among all of them."""
    monkeypatch.setenv("XDG_CACHE_HOME", os.environ[FOLDER])
    return Path(os.environ[FOLDER], "ltc-edge", "loops")


@pytest.fixture
def started():
    """Starts the command; it ends with the test."""
    running = []

    def start(*arguments):
        pipe = subprocess.PIPE
        command = [*COMMAND, *map(str, arguments)]
        running.append(subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def test_a_run_from_start_to_end(lag_bundle, started, cli, tmp_path):
    log = tmp_path / "run.mcap"
    process = started(
        lag_bundle, "--io", "udp://0", "--rate", 100, "--arm", "--log", log, "--status", 0, "--json"
    )
    said = process.stderr.readline()
    plant = Plant(re.search(r"udp://127\.0\.0\.1:\d+", said)[0])
    assert "at 100 Hz, armed once every reading has come" in said
    page = re.search(r"http://127\.0\.0\.1:\d+/", process.stderr.readline())[0]
    plant.until(lambda action: action.mode == ACTIVE and action.action[0] != 0, 0.5, 0.1)
    with urllib.request.urlopen(f"{page}metrics", timeout=TIMEOUT_S) as answer:
        assert 'ltc_edge_mode{mode="active"} 1' in answer.read().decode()
    process.send_signal(signal.SIGTERM)
    while True:
        last = plant.action()
        if last.mode == 0 and last.action[0] == 0:
            break
    out, err = process.communicate(timeout=TIMEOUT_S)
    plant.close()
    assert process.returncode == 0, err
    document = json.loads(out)
    assert (document["end"], document["controller"], document["format"]) == ("stopped", "tiny", "c-float32")
    assert (document["period_s"], document["every"], document["fifo"]) == (0.01, 1, None)
    assert document["action"] == {"drive": 0.0}
    assert document["modes"]["active"] > 0
    assert document["messages"]["taken"] > 0
    replayed, _ = cli("replay", log, "--bundle", lag_bundle, "--json")
    found = json.loads(replayed)
    assert found["ok"] is True
    assert found["logs"][0]["steps"] == document["steps"] - document["log_dropped"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "say where readings come from"),
        (("--io", "ftp://x"), "expected lines, udp://"),
        (("--io", "udp://0", "--arm", "--shadow"), "exclude each other"),
        (("--io", "udp://0", "--rate", "1"), "Run the loop at"),
        (("--io", "udp://0", "--format", "c-int16"), "has no c-int16"),
        (("--io", "udp://0", "--status", "nowhere"), "is no [HOST:]PORT"),
        (("--io", "udp://0", "--supervisor", "nowhere.toml"), "nowhere.toml"),
        (("--io", "zenoh://x?listen=tcp/0.0.0.0:1"), "say --bind"),
        (("--io", "udp://0", "--log", "/dev/null", "--force"), "is not a regular file"),
        (("--io", "udp://0", "--log", __file__), "exists already"),
        (("--io", "udp://0", "--log-minutes", 1), "numbers the files of a --log"),
        (("--io", "udp://0", "--log", "x.mcap", "--log-minutes", 1, "--force"), "no --force"),
        (("--io", "udp://0", "--log", "x.mcap", "--log-keep", 2), "for the files that --log-minutes makes"),
        (("--io", "can://can0?map=nowhere.toml"), "nowhere.toml"),
    ],
)
def test_what_it_refuses(lag_bundle, cli, options, message):
    out, err = cli("run", lag_bundle, *options, expect=2)
    assert out == ""
    assert message in err
    assert len(err.splitlines()) == 1


def test_a_file_that_is_no_log_is_not_replaced(lag_bundle, cli, tmp_path):
    (tmp_path / "notes").write_text("mine")
    _, err = cli("run", lag_bundle, "--io", "lines", "--log", tmp_path / "notes", "--force", expect=2)
    assert "is no log" in err
    assert (tmp_path / "notes").read_text() == "mine"


def test_the_second_run_builds_nothing(lag_bundle, cli, cache, monkeypatch):
    options = ("run", lag_bundle, "--io", "lines", "--rate", 100, "--duration", 0.05)
    cli(*options)
    monkeypatch.setattr("ltc_edge.deploy.run.program.build_here", None)  # to call it is an error
    _, err = cli(*options)
    assert "Note" not in err
    built = []
    program = Program(newest(cache).read_bytes(), "cc, here")
    monkeypatch.setattr("ltc_edge.deploy.run.program.build_here", lambda *_: built.append(1) or program)
    _, err = cli(*options, "--no-cache")
    assert (len(built), "Note" in err) == (1, False)
    cache.chmod(0o777)
    _, err = cli(*options)
    cache.chmod(0o700)
    assert len(built) == 2
    assert f"Note: the program is built for this run alone: {cache}: somebody else can write it" in err


def test_a_log_in_several_files_goes_on_and_forgets(lag_bundle, cli, tmp_path):
    options = ("run", lag_bundle, "--io", "lines", "--rate", 100, "--duration", 0.05)
    for _ in range(3):
        cli(*options, "--log", tmp_path / "run.mcap", "--log-minutes", 1, "--log-keep", 2, "--json")
    logs = sorted(path.name for path in tmp_path.iterdir())
    assert logs == ["run-0002.mcap", "run-0003.mcap"]
    out, _ = cli("replay", *sorted(tmp_path.iterdir()), "--bundle", lag_bundle, "--json")
    assert json.loads(out)["ok"] is True


def newest(cache):
    return max(cache.glob("*/rt_loop"), key=lambda path: (path.parent / "rt_loop.sha256").stat().st_mtime_ns)


def test_told_to_end_before_it_runs_it_ends_as_any_program(lag_bundle, started, tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "never")
    compiler = tmp_path / "cc"
    waits = f"echo > {tmp_path}/never; cat {tmp_path}/never"
    compiler.write_text(f'#!/bin/sh\ncase "$*" in *rt_loop*) {waits};; *) exec cc "$@";; esac\n')
    compiler.chmod(0o700)
    monkeypatch.setenv("CC", str(compiler))
    process = started(lag_bundle, "--io", "udp://0", "--no-cache")
    with (tmp_path / "never").open("rb") as building:
        building.readline()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=TIMEOUT_S)
    with (tmp_path / "never").open("wb"):  # the compiler goes as well
        pass
    assert (process.returncode, out, err) == (-signal.SIGTERM, "", "")


def test_what_the_makefile_needs_can_be_written(lag_bundle, cli, tmp_path):
    cli("run", lag_bundle, "--build", tmp_path)
    assert "supervisor_settings" in (tmp_path / "supervisor_settings.c").read_text()
    assert "step_log_facts" in (tmp_path / "step_log_facts.c").read_text()
