"""Several devices: the canary first, the others side by side, and none any more after a failure."""

import threading

import pytest

from ltc_edge.deploy.linux.fleet import Job, run_fleet
from ltc_edge.deploy.linux.fleet_file import read_fleet
from ltc_edge.deploy.linux.settings import DeviceSettings, LoopSettings, Order
from ltc_edge.errors import DeviceError, InputError

ORDER = Order(LoopSettings("udp://127.0.0.1:9000"), device=DeviceSettings(root="/srv/loops"))


class Devices:
    """Jobs that note when they began; some fail."""

    def __init__(self, *labels, failing=()):
        self.begun = []
        self.jobs = [Job(label, lambda label=label: self.act(label, failing)) for label in labels]

    def act(self, label, failing):
        self.begun.append(label)
        if label in failing:
            raise DeviceError(f"{label}: no answer")
        return {"current": label}


def outcomes(results):
    return {result.label: result.outcome for result in results}


def test_the_canary_is_done_before_the_others_begin():
    devices = Devices("a", "b", "c")
    assert outcomes(run_fleet(devices.jobs, canary="c", parallel=2)) == dict.fromkeys("abc", "done")
    assert devices.begun[0] == "c"
    devices = Devices("a", "b")
    run_fleet(devices.jobs, canary=None, parallel=2)
    assert devices.begun[0] == "a"


def test_where_the_canary_fails_nothing_else_is_touched():
    devices = Devices("a", "b", "c", failing=("b",))
    results = run_fleet(devices.jobs, canary="b", parallel=8)
    assert outcomes(results) == {"a": "untouched", "b": "failed", "c": "untouched"}
    assert devices.begun == ["b"]
    assert results[1].to_json() == {"device": "b", "outcome": "failed", "error": "b: no answer"}


def test_a_failure_keeps_what_has_not_begun_untouched():
    devices = Devices("a", "b", "c", "d", failing=("b",))
    results = run_fleet(devices.jobs, canary=None, parallel=1)
    assert outcomes(results) == {"a": "done", "b": "failed", "c": "untouched", "d": "untouched"}


def test_looking_goes_on_after_a_failure():
    devices = Devices("a", "b", "c", failing=("a", "b"))
    results = run_fleet(devices.jobs, canary=None, parallel=1, stop=False)
    assert outcomes(results) == {"a": "failed", "b": "failed", "c": "done"}


def test_others_are_done_side_by_side():
    meeting = threading.Barrier(3, timeout=20)
    first = Job("first", dict)
    jobs = [first, *(Job(str(number), lambda: {"met": meeting.wait()}) for number in range(3))]
    results = run_fleet(jobs, canary=None, parallel=3)
    assert {result.report["met"] for result in results[1:]} == {0, 1, 2}


def test_an_interruption_begins_nothing_more():
    def interrupt():
        raise KeyboardInterrupt

    devices = Devices("b", "c")
    with pytest.raises(KeyboardInterrupt):
        run_fleet([Job("a", interrupt), *devices.jobs], canary=None, parallel=1)
    assert devices.begun == []


def test_names_that_do_not_fit():
    with pytest.raises(InputError, match="a is named twice"):
        run_fleet(Devices("a", "a").jobs, canary=None, parallel=1)
    with pytest.raises(InputError, match="no device is called 'x'; there are a, b"):
        run_fleet(Devices("a", "b").jobs, canary="x", parallel=1)


FLEET = """
canary = "bench"
parallel = 8
[devices.bench]
address = "ssh://pi@bench.local/arm"
io = "serial:///dev/ttyACM0"
start = "shadow"
service = "run"
supervisor = "bench.toml"
[devices.arm-1]
address = "ssh://pi@arm-1.local:2222"
rate_hz = 100
sudo = true
"""


def test_a_fleet_as_a_file(tmp_path):
    path = tmp_path / "fleet.toml"
    path.write_text(FLEET)
    fleet = read_fleet(path, ORDER)
    assert (fleet.canary, fleet.parallel) == ("bench", 8)
    bench, arm = fleet.targets
    assert (bench.label, bench.address.name, bench.address.remote.host) == ("bench", "arm", "bench.local")
    assert (bench.order.loop.io, bench.order.loop.start) == ("serial:///dev/ttyACM0", "shadow")
    assert bench.order.loop.supervisor == tmp_path / "bench.toml"
    assert (bench.order.device.service, bench.order.device.root) == ("run", "/srv/loops")
    assert (arm.order.loop.io, arm.order.loop.rate_hz, arm.order.device.sudo) == (ORDER.loop.io, 100, True)
    assert (arm.address.name, arm.address.remote.port) == (None, 2222)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no devices"),
        ("[devices]", "names no devices"),
        ("colour = 1\n[devices.a]\naddress = 'ssh://a'", "a fleet has no 'colour'"),
        ("canary = 'b'\n[devices.a]\naddress = 'ssh://a'", "canary is 'b', which is none of its devices"),
        ("parallel = 0\n[devices.a]\naddress = 'ssh://a'", "parallel must be a whole number"),
        ("[devices.a]\nhost = 'a'", r"\[devices.a\]: needs address"),
        ("[devices.'a b']\naddress = 'ssh://a'", "is no name of a device"),
        ("[devices.a]\naddress = 'ssh://a'\nroom = 1", "has no 'room'"),
        ("[devices.a]\naddress = 'ssh://a'\nsudo = 1", "sudo cannot be 1"),
        ("[devices.a]\naddress = 'ssh://a'\ncpu = true", "cpu cannot be True"),
        ("[devices.a]\naddress = 'ssh://a'\nservice = 'cron'", "service must be one of systemd"),
        ("[devices.a]\naddress = 'ssh://-oProxyCommand=x'", "is no address"),
        ("[devices.a]\naddress = 'local'", "is no address"),
        ("[devices.a]\naddress = 'ssh://a/../b'", "is no name"),
    ],
)
def test_files_that_are_no_fleet(tmp_path, text, message):
    path = tmp_path / "fleet.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        read_fleet(path, ORDER)
    assert "\n" not in str(refused.value)
