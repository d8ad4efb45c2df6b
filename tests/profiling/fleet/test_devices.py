"""What is asked of each device of a fleet."""

import pytest

from ltc_edge.errors import InputError
from ltc_edge.profiling.fleet.devices import fleet_devices, in_lanes
from ltc_edge.profiling.places import Emulated, Local, Remote, Serial
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from ltc_edge.targets.fleet import read_fleet_table


@pytest.fixture
def devices(tmp_path):
    def devices(text, **common):
        (tmp_path / "fleet.toml").write_text(text)
        table = read_fleet_table(tmp_path / "fleet.toml")
        return {device.label: device for device in fleet_devices(table, Request("", Local(), **common))}

    return devices


def of(*addresses, more=""):
    return "".join(f'[devices.d{n}]\naddress = "{a}"\n{more}\n' for n, a in enumerate(addresses))


def test_addresses(devices):
    """That of a deployment has its name at the end, which is of no account here."""
    found = devices(of("ssh://pi@robot:2222/arm", "local", "cortex-m4", "serial:/dev/ttyACM0"))
    requests = [device.request for device in found.values()]
    assert requests[0].place == Remote("robot", "pi", 2222)
    assert requests[0].target == "ssh://pi@robot:2222"
    assert requests[1].place == Local()
    assert isinstance(requests[2].place, Emulated)
    assert requests[3].place == Serial("/dev/ttyACM0")


def test_a_processor_of_ones_own_is_described_beside_the_fleet(devices, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    monkeypatch.chdir(tmp_path / "there")
    (tmp_path / "pi.toml").write_text('address = "ssh://pi@robot"\npython = "python3.12"')
    assert devices(of("pi.toml"))["d0"].request.place == Remote("robot", "pi", None, "python3.12")


def test_a_device_comes_before_the_command_line(devices):
    said = 'python = "python3.12"\nremote_dir = "/var/tmp"\ncpu = 3\nio = "udp://127.0.0.1:9"'
    common = {"python": "python3", "folder": "/tmp", "settings": Settings(cpu=1)}
    own, other = devices(of("ssh://a", more=said) + '[devices.x]\naddress = "ssh://b"', **common).values()
    assert (own.request.python, own.request.folder, own.request.settings.cpu) == ("python3.12", "/var/tmp", 3)
    assert (other.request.python, other.request.folder, other.request.settings.cpu) == ("python3", "/tmp", 1)


def test_paced_runs_are_as_the_devices_loop_runs(devices):
    """Where any are asked for."""
    own = of("ssh://a", more="rate_hz = 250\nfifo = 40")
    asked = devices(own, settings=Settings(rate_hz=100.0))["d0"].request.settings
    assert (asked.rate_hz, asked.fifo) == (250, 40)
    not_asked = devices(own)["d0"].request.settings
    assert (not_asked.rate_hz, not_asked.fifo) == (None, 0)


def test_a_budget_is_for_devices_where_it_is_measured(devices):
    limits = {"max-p99-us": 1.0, "max-flash-bytes": 2.0}
    found = devices(of("ssh://a", "cortex-m4"), limits=limits)
    assert found["d0"].request.limits == {"max-p99-us": 1.0}
    assert found["d1"].request.limits == {"max-flash-bytes": 2.0}
    with pytest.raises(InputError, match="--max-flash-bytes is measured on none of its devices"):
        devices(of("ssh://a"), limits=limits)


def test_what_shares_a_machine_shares_a_lane(devices, tmp_path):
    port = tmp_path / "ttyACM0"
    port.touch()
    (tmp_path / "by-id").symlink_to(port)
    found = devices(
        of("ssh://pi@Robot:22", "cortex-m4", "ssh://root@robot:2222/arm", "ssh://other", "riscv32", "local")
        + f'[devices.s]\naddress = "serial:{port}"\n[devices.t]\naddress = "serial:{tmp_path}/by-id"\n'
    )
    lanes = [[device.label for device in lane] for lane in in_lanes(list(found.values()))]
    assert lanes == [["d0", "d2"], ["d1", "d4"], ["d3"], ["d5"], ["s", "t"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (of("ssh://-oProxyCommand=x"), r"\[devices.d0\]: .*is no address"),
        (of("pdp-11"), r"\[devices.d0\]: .*pdp-11"),
        (of("local", more="cpu = -1"), "cpu must be from 0 to 4095"),
        (of("local", more="fifo = 100"), "fifo must be from 1 to 99"),
        (of("local", more="rate_hz = nan"), "rate_hz must be from 0.1 to 100000"),
        (of("local", more=f"cpu = {10**400}"), "cpu must be from"),
    ],
)
def test_what_is_no_device(devices, text, message):
    with pytest.raises(InputError, match=message) as refused:
        devices(text)
    assert "\n" not in str(refused.value)
