"""``ltc-edge deploy --to``, onto this machine through OpenSSH's own server."""

import dataclasses
import getpass
import json
import shutil
import socket
import sys
from pathlib import Path

import pytest

from ltc_edge.deploy.linux import step_time
from ltc_edge.deploy.linux.device.layout import Layout
from ltc_edge.deploy.linux.device.run_service import RunService
from ltc_edge.deploy.linux.step_time import StepTime

TOOLS = Path(__file__).parents[2] / "tools"

needs_ssh = pytest.mark.skipif(
    not (Path("/usr/sbin/sshd").exists() and shutil.which("ssh") and shutil.which("make")),
    reason="no OpenSSH server and client, or no make (Debian: openssh-server, openssh-client, make)",
)


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of an sshd on loopback whose client is first on PATH."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOOLS))
        from profile_bench.over_ssh import loopback_server

        # What is built is built faster, and a step is timed for less long.
        patch.setenv("OPTIMISATION", "-O0")
        quick = {"compiler_flags": ("-std=c99", "-O0"), "iterations": 200, "seconds": 0.02}
        patch.setattr(step_time, "SHORT", dataclasses.replace(step_time.SHORT, **quick))
        with loopback_server(tmp_path_factory.mktemp("sshd")) as (path, port):
            patch.setenv("PATH", path)
            yield port


@pytest.fixture
def device(cli, port, tmp_path):
    """Runs ``deploy`` for a device of its own, as a name on this machine; all of it ends with the test."""
    root = tmp_path / "root"
    address = f"ssh://{getpass.getuser()}@bench:{port}"
    where = ("--python", sys.executable, "--root", root, "--service", "run", "--watch", "0.05")

    def deploy(*words, name="arm", expect=0):
        return cli("deploy", *words, "--to", f"{address}/{name}", *where, expect=expect)

    deploy.root, deploy.address, deploy.where = root, address, where
    deploy.running = RunService(Layout(str(root), "arm")).state
    yield deploy
    for name in ("arm", "leg"):
        RunService(Layout(str(root), name)).stop()


@pytest.fixture
def io():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return f"udp://127.0.0.1:{free.getsockname()[1]}"


def report(printed):
    (found,) = json.loads(printed)["devices"]
    return found


@needs_ssh
def test_a_bundle_runs_and_the_next_one_and_the_one_before(device, lag_bundle, io):
    out, _ = device(lag_bundle, "--io", io, "--no-profile")
    assert "before it was nothing" in out
    first = device.running()
    second = report(device(lag_bundle, "--io", io, "--start", "arm", "--no-profile", "--json")[0])
    assert (second["before"], second["outcome"]) == (first["version"], "done")
    running = device.running()
    assert running["version"] == second["current"] != first["version"]
    # One whose step takes too long: what ran runs still, and was not touched.
    _, err = device(lag_bundle, "--io", io, "--max-p99-us", "0.000001", expect=1)
    assert "what ran before runs still" in err
    assert device.running() == running
    out, _ = device("--rollback")
    assert f"{first['version']} runs again" in out
    out, _ = device("--status")
    assert f"version {first['version']} as process {device.running()['pid']}" in out
    out, _ = device("--remove")
    assert "2 versions removed" in out
    assert device.running()["state"] == "stopped"


@needs_ssh
def test_a_fleet_stops_where_one_fails(device, cli, lag_bundle, io, tmp_path):
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(
        f'canary = "first"\n[devices.first]\naddress = "{device.address}/arm"\nio = "{io}"\n'
        f'[devices.second]\naddress = "{device.address}/leg"\npython = "no-such-python"\n'
        f'[devices.third]\naddress = "{device.address}/leg"\n'
    )
    words = ("deploy", lag_bundle, "--to", f"@{fleet}", *device.where, "--no-profile", "--parallel", "1")
    out, err = cli(*words, "--json", expect=1)
    found = {row["device"]: row["outcome"] for row in json.loads(out)["devices"]}
    assert found == {"first": "done", "second": "failed", "third": "untouched"}
    assert "1 of 3 devices failed, 1 were left untouched; the first is second" in err
    assert not (device.root / "leg").exists()


@needs_ssh
def test_killed_deployments_leave_a_whole_version(port, lag_bundle, tmp_path, monkeypatch):
    """A slice of ``tools/deploy_kill_campaign.py``."""
    monkeypatch.syspath_prepend(str(TOOLS))
    from deploy_kill_campaign import campaign

    found = campaign(
        lag_bundle, tmp_path, port, rounds=1, seed=1, kinds=["device"], steps=["switch"], profile=False
    )
    assert (found["broken"], found["failed_after"]) == ([], [])
    assert found["deployment_ended"] == {"failed": 1}
    assert found["looked"] > 0


def test_the_plan_is_printed_and_nothing_is_done(cli, lag_bundle):
    words = (
        "--to",
        "ssh://pi@nowhere.invalid/arm",
        "--dry-run",
        "--fifo",
        "50",
        "--cpu",
        "3",
        "--rate",
        "50",
    )
    out, _ = cli("deploy", lag_bundle, *words)
    assert "systemd starts: rt_loop --io udp://127.0.0.1:9000" in out
    assert "--fifo 50" in out
    assert "Nothing was done." in out
    (plan,) = json.loads(cli("deploy", lag_bundle, *words, "--json")[0])["devices"]
    assert (plan["name"], plan["format"]) == ("arm", "c-float32")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "say where to deploy to, and once"),
        (("--to", "pi@pi"), "is no address such as ssh://"),
        (("--to", "ssh://-oProxyCommand=reboot"), "is no address"),
        (("--to", "ssh://pi/Arm"), "is no name"),
        (("--to", "ssh://pi", "--to", "ssh://pi"), "is named twice"),
        (("--to", "@none.toml"), "none.toml"),
        (("--to", "ssh://pi", "--canary", "po"), "no device is called 'po'"),
        (("--to", "ssh://pi", "--io", "lines"), "a service has udp://"),
        (("--to", "ssh://pi", "--io", "udp://0.0.0.0:9"), "say --beyond-loopback"),
        (("--to", "ssh://pi", "--rate", "0.5"), "rate"),
        (("--to", "ssh://pi", "--format", "c-int16"), "has no c-int16"),
        (("--to", "ssh://pi", "--force"), "--to does not take --force"),
        (("--to", "ssh://pi", "--verify-key", "none.pub"), "none.pub: cannot be read"),
        (("--to", "ssh://pi", "--status"), "--status takes no bundle"),
        (("--to", "ssh://pi", "--rollback", "--remove"), "exclude each other"),
    ],
)
def test_bad_input_is_one_line(cli, lag_bundle, words, message):
    _, err = cli("deploy", lag_bundle, *words, expect=2)
    assert message in err
    assert err.count("\n") == 1


def test_looking_needs_no_bundle_and_deploying_does(cli):
    _, err = cli("deploy", "--to", "ssh://pi", expect=2)
    assert "say which bundle" in err


def test_what_was_measured_is_said_with_its_doubts(capsys):
    from ltc_edge.cli.deploy_linux_table import print_results
    from ltc_edge.deploy.linux.fleet import Result

    step = StepTime(1.0, 2.0, 10.0, ("the device was throttled",)).to_json()
    done = {"address": "ssh://pi", "name": "arm", "current": "0" * 16, "before": None, "recovered": None}
    print_results("deploy", [Result("ssh://pi", "done", {**done, "already": False, "step_us": step})])
    out, err = capsys.readouterr()
    assert "A step takes 1 µs there, 2 µs at p99; 10 µs are allowed." in out
    assert "Note: the device was throttled" in err
