"""The state of a device, from trees of files that stand in for devices which are not here."""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltc_edge.profiling.agent.device_description import describe_device
from ltc_edge.profiling.agent.device_state import read_state
from ltc_edge.profiling.agent.probe import MAX_BYTES, processors, read_text, run_program
from ltc_edge.profiling.agent.state_check import notes, problems

NOTHING = {
    "governor": None,
    "frequency_khz": None,
    "allowed_khz": None,
    "hardware_max_khz": None,
    "temperatures": None,
    "throttling": None,
    "power": None,
    "load_1m": None,
    "running": None,
    "ticks": None,
    "context_switches": None,
    "cores_online": None,
}


def test_a_throttled_raspberry_pi_4(pi4):
    state = read_state(pi4, cpu=0, busy_s=0.0)
    assert state["governor"] == "ondemand"
    assert state["frequency_khz"] == 1_000_000
    assert (state["allowed_khz"], state["hardware_max_khz"]) == ([600_000, 1_800_000], 1_800_000)
    assert state["temperatures"] == [
        {"zone": "thermal_zone0", "type": "cpu-thermal", "celsius": 83.268, "trip_celsius": 110.0}
    ]
    assert state["throttling"]["now"] == {
        "under_voltage": True,
        "frequency_capped": False,
        "throttled": True,
        "soft_temperature_limit": True,
    }
    assert state["throttling"]["since_boot"]["frequency_capped"] is True
    assert state["throttling"]["since_boot"]["soft_temperature_limit"] is False
    assert state["power"] is None
    assert (state["load_1m"], state["running"], state["context_switches"]) == (3.52, 5, 12345)
    assert state["ticks"] == {"total": 960, "steal": 0}
    assert state["clocks"]["source"] == "arch_sys_counter"


def test_a_laptop(laptop):
    state = read_state(laptop, cpu=0, busy_s=0.0)
    assert state["throttling"] == {"source": "thermal_throttle", "core": 7, "package": 9}
    assert state["power"]["packages"] == {
        "package-0": {"energy_uj": 262_143_000_000, "range_uj": 262_143_328_850}
    }
    assert state["temperatures"][0]["trip_celsius"] is None
    assert state["ticks"] == {"total": 970, "steal": 10}
    assert state["cores_online"] == 3


def test_the_frequency_is_read_from_the_hardware_where_that_is_allowed(plant, install):
    folder = "sys/devices/system/cpu/cpu2/cpufreq"
    root = plant({f"{folder}/cpuinfo_cur_freq": "1200000\n", f"{folder}/scaling_cur_freq": "1800000\n"})
    assert read_state(root, cpu=2, busy_s=0.0)["frequency_khz"] == 1_200_000


def test_the_processor_is_busy_while_its_frequency_is_read_and_the_thread_is_free_again(pi4):
    before, used = os.sched_getaffinity(0), time.thread_time()
    read_state(pi4, cpu=min(before), busy_s=0.05)
    assert time.thread_time() - used > 0.01
    assert os.sched_getaffinity(0) == before


def test_nothing_readable(plant, install):
    state = read_state(plant({}), busy_s=0.0)
    assert {name: state[name] for name in NOTHING} == NOTHING
    assert state["clocks"]["source"] is None
    assert problems(state, state) == []
    everything = (
        "not checked, since not readable here: the frequency, the governor, throttling, the temperature"
    )
    assert everything in notes(state, state)


EVERY_FILE = (
    "proc/device-tree/model",
    "proc/device-tree/compatible",
    "proc/cpuinfo",
    "proc/meminfo",
    "proc/loadavg",
    "proc/stat",
    "proc/sys/kernel/version",
    "etc/os-release",
    "sys/kernel/realtime",
    "sys/kernel/debug/sched/preempt",
    "sys/devices/system/cpu/online",
    "sys/devices/system/cpu/isolated",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
    "sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count",
    "sys/devices/system/clocksource/clocksource0/current_clocksource",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/class/thermal/thermal_zone0/trip_point_0_type",
    "sys/class/thermal/thermal_zone0/trip_point_0_temp",
    "sys/class/powercap/intel-rapl:0/name",
    "sys/class/powercap/intel-rapl:0/energy_uj",
    "sys/class/hwmon/hwmon0/name",
    "sys/class/hwmon/hwmon0/power1_input",
)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x00\xff\xfe\x80" * 50, b"9" * 5000, b"1_000", "٣".encode(), b"-", b"0-99999", b"cpu " * 100_000],
    ids=["empty", "binary", "digits", "underscore", "other-digits", "dash", "range", "endless"],
)
def test_hostile_files_are_read_as_nothing(plant, install, content):
    root = plant(dict.fromkeys(EVERY_FILE, content))
    describe_device(root)
    state = read_state(root, busy_s=0.0)
    assert state["frequency_khz"] is None
    assert state["temperatures"] is None
    assert state["ticks"] is None
    assert problems(state, state) == []


@settings(max_examples=40, deadline=None)
@given(contents=st.lists(st.binary(max_size=60) | st.from_regex(rb"[0-9 .:a-z\n-]{0,40}"), min_size=1))
def test_no_content_makes_it_raise(tmp_path_factory, contents):
    root = tmp_path_factory.mktemp("root")
    for index, name in enumerate(EVERY_FILE):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(contents[index % len(contents)])
    describe_device(root)
    state = read_state(root, cpu=0, busy_s=0.0)
    problems(state, state)
    notes(state, state)


def test_folders_links_and_pipes_in_the_place_of_files(plant, install):
    root = plant({"proc/loadavg/not-a-file": ""})
    (root / "proc/stat").symlink_to("stat")  # a circle
    (root / "proc/meminfo").symlink_to("/dev/zero")
    os.mkfifo(root / "proc/cpuinfo")
    assert read_state(root, busy_s=0.0)["ticks"] is None
    assert describe_device(root)["memory_bytes"] is None


def test_a_file_is_read_only_so_far(plant):
    assert len(read_text(plant({"large": "x" * (3 * MAX_BYTES)}), "large")) == MAX_BYTES


@pytest.mark.parametrize(
    "script", ["exit 1", "exec sleep 60", "sleep 1 &", "exec yes", "printf '\\377'", "kill -9 $$"]
)
def test_a_program_that_fails_hangs_or_floods_says_nothing(install, monkeypatch, plant, script):
    """A script stands in for a vcgencmd that cannot reach the firmware, which a test cannot have here."""
    monkeypatch.setattr("ltc_edge.profiling.agent.probe.PROGRAM_SECONDS", 0.2)
    install("vcgencmd", script)
    state = read_state(plant({}), busy_s=0.0)
    assert (state["throttling"], state["power"]) == (None, None)


def test_a_program_that_is_not_there_or_none(install, tmp_path):
    (tmp_path / "bin/vcgencmd").write_bytes(b"\x7fELF not really")
    (tmp_path / "bin/vcgencmd").chmod(0o755)
    assert run_program("vcgencmd", "get_throttled") is None
    assert run_program("no-such-program") is None


def test_lists_of_processors():
    assert processors("0-2,5\n") == [0, 1, 2, 5]
    assert processors("\n") == []
    assert processors(None) is None
    assert processors("0-") is None
    assert processors("0-99999") is None
    assert processors("0-9," * 1000) is None
