"""An instance of Ray of the sweep's own: who can reach it, and what is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SUPPORT = Path(__file__).parents[2] / "support"

DRIVER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from ltc_edge.sweep.engines.ray import RayEngine
from ltc_edge.sweep.engines.ray_options import RayOptions
from ltc_edge.sweep.work import Work

engine = RayEngine(Path(sys.argv[2]), RayOptions(workers=1), "toy_replicates:do")
try:
    engine.submit(Work(0, 0, {"behaviour": "dies"}, {}))
    (lost,) = engine.wait()
    engine.submit(Work(1, 0, {}, {}))
    (outcome,) = engine.wait()
    engine.submit(Work(2, 0, {"seconds": 600.0}, {}))
    print(f"{lost.reason.split(':')[0]} {outcome.state}", flush=True)
    engine.wait()
finally:
    engine.close()
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A driver whose third replicate does not end."""
    trials = tmp_path_factory.mktemp("trials")
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(SUPPORT), str(trials)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group, as a shell makes it: Ctrl-C goes to all of it
    )
    yield process
    process.kill()
    process.wait()


def below(process: int) -> dict[int, list[str]]:
    """Descendants of ``process``, with their command lines."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found: dict[int, list[str]] = {}
    wanted = [process]
    while wanted:
        parent = wanted.pop()
        for child in [each for each, its in parents.items() if its == parent]:
            found[child] = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            wanted.append(child)
    return found


def listening(process: int) -> list[str]:
    """Addresses that ``process`` listens on, as the kernel writes them."""
    sockets = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            sockets.add(str(entry.readlink()))
        except OSError:
            continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in sockets:
                found.append(local.partition(":")[0])
    return found


def test_nothing_listens_beyond_loopback_and_ctrl_c_leaves_nothing(driver: subprocess.Popen[str]) -> None:
    assert driver.stdout is not None
    # The first line: what Ray has to say of a dead worker is not among it.
    assert driver.stdout.readline() == "WorkerCrashedError complete\n"
    processes = below(driver.pid)
    assert any("gcs_server" in words[0] for words in processes.values())

    addresses = [address for process in (driver.pid, *processes) for address in listening(process)]
    loopback = {"0100007F", "0000000000000000FFFF00000100007F"}
    assert addresses
    assert set(addresses) <= loopback

    folders = {word for words in processes.values() for word in words if "ltc-edge-ray-" in word}
    folder = Path(next(iter(folders)).partition("=")[2] or next(iter(folders)))
    folder = next(each for each in (folder, *folder.parents) if each.name.startswith("ltc-edge-ray-"))
    assert folder.is_dir()

    os.killpg(driver.pid, signal.SIGINT)
    output, errors = driver.communicate(timeout=60)
    assert output == ""
    assert "KeyboardInterrupt" in errors.splitlines()[-1]
    assert not [process for process in processes if is_running(process)]
    assert not folder.exists()


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_cluster_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from ltc_edge.errors import InputError\n"
        "from ltc_edge.sweep.engines.ray import RayEngine\n"
        "from ltc_edge.sweep.engines.ray_options import RayOptions\n"
        "try:\n    RayEngine(Path(sys.argv[1]), RayOptions('127.0.0.1:1'))\n"
        "except InputError as error:\n    print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True)
    assert ended.stdout.startswith("no Ray at 127.0.0.1:1: ")
    assert ended.stdout.count("\n") == 1
    assert not list(tmp_path.iterdir())
