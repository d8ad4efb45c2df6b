"""Generated load: it runs, it ends with its block, and it ends with its parent however that ends."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ltc_edge.profiling.agent.load import BusyLoad, LoadFailed

REPOSITORY = Path(__file__).resolve().parents[3]


def alive(pid):
    """Whether a process is there and no corpse that nobody has fetched."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def wait_until_ended(pid):
    """Wait for a process that is not a child of this one."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    with os.fdopen(handle) as file:
        assert select.select([file], [], [], 20)[0], "a process of the load outlives its parent"


@pytest.fixture
def small(plant, tmp_path):
    """A load of three processes."""
    return BusyLoad(tmp_path, plant({"sys/devices/system/cpu/online": "0\n"}))


def test_it_runs_while_the_block_does(small):
    with small:
        pids = [process.pid for process in small.processes]
        small.check()
        assert [alive(pid) for pid in pids] == [True] * 3
        assert small.describe().startswith(
            "3 processes on 1 processors: 1 hashing, 1 copying 8 MiB, 1 reading"
        )
    assert [alive(pid) for pid in pids] == [False] * 3
    assert list(small.folder.glob("tmp*")) == []


def test_it_ends_with_an_error_in_the_block(small):
    pids = []

    def interrupted():
        with small:
            pids.extend(process.pid for process in small.processes)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [alive(pid) for pid in pids] == [False] * 3


def test_a_process_that_is_lost_is_noticed(small):
    with small:
        small.processes[1].kill()
        small.processes[1].wait()
        with pytest.raises(LoadFailed, match=r"\(copy\) ended: without a word"):
            small.check()


def test_a_folder_that_cannot_be_written(plant, tmp_path):
    load = BusyLoad(tmp_path / "missing", plant({"sys/devices/system/cpu/online": "0\n"}))
    with pytest.raises(LoadFailed, match=r"\(file\) ended: .*No such file"), load:
        pass
    assert load.processes == []


def test_no_interpreter(small, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(LoadFailed, match="cannot be started"), small:
        pass


def test_it_ends_when_its_parent_is_killed():
    code = (
        "import signal\n"
        "from ltc_edge.profiling.agent.load import BusyLoad\n"
        "with BusyLoad() as load:\n"
        "    print(*(process.pid for process in load.processes), flush=True)\n"
        "    signal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) >= 3
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    for pid in pids:
        wait_until_ended(pid)


def test_it_keeps_off_isolated_processors(plant):
    cpus = "sys/devices/system/cpu"
    root = plant({f"{cpus}/online": "0-3\n", f"{cpus}/isolated": "2-3\n"})
    assert BusyLoad(root=root).kinds == ["hash", "copy", "file"]
    assert BusyLoad(root=plant({f"{cpus}/isolated": "0-3\n"})).cpus == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("caches", "available_kb", "mebibytes"),
    [
        ({"index0": "32K", "index2": "1024K"}, 700_000, 8),  # Raspberry Pi 3
        ({"index0": "64K", "index3": "2048K"}, 7_000_000, 8),  # Raspberry Pi 5
        ({"index0": "48K", "index3": "12288K"}, 16_000_000, 48),
        ({"index3": "262144K"}, 64_000_000, 64),
        ({"index3": "262144K"}, 400_000, 12),
        ({"index0": "garbage"}, None, 8),
    ],
)
def test_it_copies_more_than_the_caches_hold_and_little_of_the_memory(plant, caches, available_kb, mebibytes):
    files = {f"sys/devices/system/cpu/cpu0/cache/{name}/size": size for name, size in caches.items()}
    if available_kb is not None:
        files["proc/meminfo"] = f"MemTotal: 1 kB\nMemAvailable:   {available_kb} kB\n"
    assert BusyLoad(root=plant(files)).copy_bytes >> 20 == mebibytes
