"""`ltc-edge profile --targets`: devices over OpenSSH's own servers, beside this machine and emulated ones."""

import contextlib
import csv
import dataclasses
import functools
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest
from loopback_ssh import client_of, needs_ssh, running_server

from ltc_edge.profiling import linux, profile, sampled_stages
from ltc_edge.profiling.emulated import profile_emulated

DOCS = Path(__file__).parents[2] / "docs" / "fleet.md"
QUICK = ("--iterations", "200", "--warmup", "20", "--seconds", "5", "--rounds", "5")
QUICK_C = (*QUICK, "--c-flags=-std=c99 -O0", "--format", "c-float32")


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return unverified_bundle("c-float32")


@pytest.fixture(autouse=True)
def short_batches(monkeypatch):
    """Figures are of no interest here, and of what this machine does only what a stand-in says of it."""
    monkeypatch.setattr(linux, "BATCH_NS", 20_000)
    monkeypatch.setattr(linux, "BATCHES", 2)
    monkeypatch.setattr(sampled_stages, "DURATION_NS", 20_000_000)
    monkeypatch.setattr(profile, "profile_emulated", functools.partial(profile_emulated, steps=3))
    real = linux.problems
    monkeypatch.setattr(linux, "problems", lambda *states: [p for p in real(*states) if "vcgencmd" in p])


@pytest.fixture
def cli(cli):
    """Runs a profile; what it printed."""
    return functools.partial(cli, "profile")


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Three, each at an address of its own, and one client that knows them all."""
    with contextlib.ExitStack() as running:
        found = []
        for last in (1, 2, 3):
            folder = tmp_path_factory.mktemp("ssh")
            found.append(running.enter_context(running_server(folder, f"127.0.0.{last}")))
        first = found[0]
        for server in found:
            shutil.copy(first.folder / "user_key.pub", server.folder / "authorized_keys")
            server.trust()
        first.known_hosts.write_text("".join(server.known_hosts.read_text() for server in found))
        _, path = client_of(first, tmp_path_factory.mktemp("client"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", path)
            yield found


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def python_with(folder, vcgencmd):
    """A Python that finds this ``vcgencmd`` first, which the agent asks for throttling before and after."""
    script(folder / "bin" / "vcgencmd", vcgencmd)
    return script(folder / "python", f'PATH={folder}/bin:$PATH exec {sys.executable} "$@"')


def fleet_file(folder, **devices):
    """A fleet's file; each device as its table says."""
    path = folder / "fleet.toml"
    tables = [
        "\n".join([f"[devices.{label}]", *(f"{key} = {json.dumps(value)}" for key, value in said.items())])
        for label, said in devices.items()
    ]
    path.write_text("\n".join(tables))
    return path


def keys(value):
    if isinstance(value, list):
        return {key for each in value for key in keys(each)}
    if not isinstance(value, dict):
        return set()
    return set(value) | {key for each in value.values() for key in keys(each)}


@needs_ssh
def test_what_becomes_of_one_device_keeps_no_other_from_its_figures(cli, bundle, servers, tmp_path):
    good, bad, stranger = servers
    mark = tmp_path / "mark"
    dies = python_with(
        tmp_path / "dies",
        f"[ $1 = get_throttled ] || exit 1; [ -e {mark} ] && kill -9 $PPID; touch {mark}; echo throttled=0x0",
    )
    here = {"python": sys.executable, "remote_dir": str(tmp_path)}
    changed = dataclasses.replace(stranger, folder=servers[0].folder)
    known = changed.known_hosts.read_text()
    other = (stranger.folder / "other_key.pub").read_text()
    changed.known_hosts.write_text(
        "\n".join(
            f"[{stranger.host}]:{stranger.port} {other}" if stranger.host in line else line
            for line in known.splitlines()
        )
    )
    fleet = fleet_file(
        tmp_path,
        one={"address": f"{good.target}/arm", **here},
        dying={"address": bad.target, **here, "python": str(dies)},
        stranger={"address": stranger.target, **here},
        m4={"address": "cortex-m4"},
    )
    words = (bundle, *QUICK_C, "--targets", fleet, "--max-p99-us", "1e9", "--max-flash-bytes", "1")
    out, err = cli(*words, "-o", tmp_path / "out", "--json", expect=1)
    changed.known_hosts.write_text(known)
    document = json.loads(out)
    assert document == json.loads((tmp_path / "out" / "fleet.json").read_text())
    devices = document["devices"]
    assert {label: device["status"] for label, device in devices.items()} == {
        "one": "done",
        "dying": "partial",
        "stranger": "failed",
        "m4": "done",
    }
    assert devices["one"]["failures"] == []
    assert devices["one"]["target"] == good.target
    assert devices["one"]["formats"]["c-float32"]["p50_us"] > 0
    assert devices["one"]["formats"]["c-float32"]["alike"]["alike"] == 2
    assert devices["dying"]["error"].startswith(f"{bad.target}: the connection ended")
    assert devices["dying"]["error"].endswith("what was measured until then is kept")
    assert devices["dying"]["formats"]["c-float32"]["p50_us"] > 0
    assert "its host key is not the one in known_hosts" in devices["stranger"]["error"]
    assert devices["m4"]["formats"]["c-float32"]["instructions"] > 0
    assert "over --max-flash-bytes 1" in devices["m4"]["failures"][0]
    # A budget is for the devices on which it is measured.
    kept = {label: devices[label]["formats"]["c-float32"]["budgets_kept"] for label in ("one", "m4")}
    assert kept == {"one": True, "m4": False}
    assert "3 of 4 devices failed; the first is dying: " in err
    elsewhere = {*document["settings"], *document["subject"], *document["limits"], *devices, "c-float32"}
    assert keys(document) <= documented() | elsewhere
    written = {path.parent.name for path in (tmp_path / "out").glob("*/profile.json")}
    assert written == {"one", "dying", "m4"}
    rows = {
        row["device"]: row
        for row in csv.DictReader((tmp_path / "out" / "fleet.csv").read_text().splitlines())
    }
    assert set(rows) == set(devices)
    assert (rows["stranger"]["format"], rows["stranger"]["p50_us"]) == ("", "")


def documented():
    return set(re.findall(r"`([a-z0-9_]+)`", DOCS.read_text()))


@needs_ssh
def test_one_that_hangs_is_a_row(cli, bundle, servers, tmp_path):
    hangs = script(tmp_path / "hangs", "cat > /dev/null")
    fleet = fleet_file(
        tmp_path,
        mute={"address": servers[0].target, "python": str(hangs)},
        none={"address": servers[1].target, "python": "no-such-python", "groups": ["lab"]},
    )
    words = (bundle, *QUICK_C, "--targets", fleet, "--device-timeout", "1")
    out, err = cli(*words, expect=1)
    assert "mute: it took longer than --device-timeout 1" in out
    assert "\nnone: " in out  # which has no such Python, where it can say so within the second
    assert "2 of 2 devices failed; the first is mute: it took longer" in err
    out, _ = cli(*words, "--group", "lab", expect=1)
    assert "mute" not in out


@pytest.fixture
def interrupted(monkeypatch):
    """Ctrl-C when the first paced run begins, by when a format was timed."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def paced_runs(*arguments):
        os.kill(os.getpid(), signal.SIGINT)
        real(*arguments)

    real = linux.paced_runs
    monkeypatch.setattr(linux, "paced_runs", paced_runs)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interrupted")
def test_ctrl_c_keeps_what_was_measured_and_begins_no_more(cli, bundle, tmp_path):
    """This machine comes first, alone, whatever its place in the file."""
    (tmp_path / "tmp").mkdir()
    here = {"address": "local", "remote_dir": str(tmp_path / "tmp")}
    fleet = fleet_file(tmp_path, m4={"address": "cortex-m4"}, here=here)
    paced = ("--rate", "100", "--paced-seconds", "600")
    out, err = cli(bundle, *QUICK_C, *paced, "--targets", fleet, "-o", tmp_path / "out", expect=130)
    assert err.splitlines()[-1] == "Interrupted."
    assert "Not begun: m4" in out
    document = json.loads((tmp_path / "out" / "fleet.json").read_text())
    assert document["interrupted"] is True
    found, m4 = document["devices"]["here"], document["devices"]["m4"]
    assert (found["status"], m4["status"]) == ("partial", "untouched")
    assert found["formats"]["c-float32"]["p50_us"] > 0
    assert json.loads((tmp_path / "out" / "here" / "profile.json").read_text())["partial"] is True
    assert not (tmp_path / "out" / "m4").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_an_earlier_fleet(cli, bundle, tmp_path):
    """Each device against itself; a new one is measured and said to be new."""
    pytest.importorskip("unicorn", reason="unicorn is not installed (extra: firmware)")
    first = fleet_file(tmp_path, m4={"address": "cortex-m4"})
    then = tmp_path / "then"
    cli(bundle, "--targets", first, "-o", then)
    earlier = then / "m4" / "profile.json"
    document = json.loads(earlier.read_text())
    document["formats"]["c-float32"]["instructions_per_step"] //= 2
    earlier.write_text(json.dumps(document))
    both = fleet_file(tmp_path, m4={"address": "cortex-m4"}, m0={"address": "cortex-m0plus"})
    words = (bundle, "--targets", both, "--baseline", then)
    out, err = cli(*words, "-o", tmp_path / "now", expect=1)
    assert "Not compared, since the earlier fleet has no figures of them: m0" in out
    assert "Failed: m4: c-float32: 10" in err
    found = json.loads((tmp_path / "now" / "fleet.json").read_text())
    assert found["devices"]["m4"]["formats"]["c-float32"]["baseline_verdict"] == "slower"
    assert found["devices"]["m0"]["formats"]["c-float32"]["baseline_ratio"] is None
    assert found["baseline"] == {"path": str(then), "without": ["m0"]}
    for path, said in (
        (earlier, "is the profile of one device"),
        (then / "m4", "is the profile of one device"),
        (tmp_path / "none", "cannot be read"),
    ):
        _, err = cli(bundle, "--targets", both, "--baseline", path, expect=2)
        assert said in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--targets", "none.toml"), "none.toml: cannot be read"),
        (("--targets", "FLEET", "--target", "local"), "--target is one device and --targets are many"),
        (("--parallel", "2"), "--parallel is for many devices"),
        (("--group", "lab"), "--group is for many devices"),
        (("--device-timeout", "5"), "--device-timeout is for many devices"),
        (("--targets", "FLEET", "--group", "attic"), "no device is in the group 'attic'"),
        (("--targets", "FLEET", "--max-deadline-misses", "1"), "is measured on none of its devices"),
        (("--targets", "FLEET", "-o", "BUNDLE/f"), "is in the bundle"),
        (("--targets", "FLEET", "-o", "TAKEN"), "fleet.json already"),
        (("--targets", "FLEET", "-o", "WITH"), "profile.json already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_bad_input_is_one_line_and_nothing_is_asked(cli, bundle, tmp_path, words, said):
    fleet = fleet_file(tmp_path, m4={"address": "cortex-m4", "groups": ["lab"]})
    for folder, name in (("taken", "fleet.json"), ("with", "m4/profile.json")):
        (tmp_path / folder / name).parent.mkdir(parents=True)
        (tmp_path / folder / name).write_text("mine")
    places = {"FLEET": fleet, "BUNDLE/f": bundle / "f"}
    places |= {"TAKEN": tmp_path / "taken", "WITH": tmp_path / "with"}
    out, err = cli(bundle, *(places.get(word, word) for word in words), expect=2)
    assert out == ""
    assert err.count("\n") == 1
    assert said in err
