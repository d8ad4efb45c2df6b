"""Whether what a device has and runs is whole, seen from outside of the deployment."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path

from ltc_edge.deploy.linux.device.layout import Layout, faults

SAMPLE_S = 0.01


class Watcher:
    """Looks all the time at what ``current`` points to, and at which files run.

    Args:
        layout: of the deployment.

    Attributes:
        samples: how often it looked.
        broken: what was not whole, a line each.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.samples, self.broken = 0, list[str]()

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(SAMPLE_S):
            self.samples += 1
            found = self._look()
            if found:
                # What was replaced between two looks may have been removed: only what is still there counts.
                self.broken += sorted(found & self._look())

    def _look(self) -> set[str]:
        current = self._layout.linked(self._layout.current)
        found = [] if current is None else current_faults(self._layout, current)
        broken = {f"current is {current}: {fault}" for fault in found}
        for pid, version in running(self._layout).items():
            found = current_faults(self._layout, version)
            broken |= {f"process {pid} runs {version}: {fault}" for fault in found}
        return broken


def current_faults(layout: Layout, identity: str) -> list[str]:
    """What is wrong with a version that is in use; read again where the kernel says that a file changed."""
    folder = layout.version(identity)
    try:
        states = [(entry.name, entry.lstat()) for entry in folder.iterdir()]
    except OSError:
        return ["is gone"]
    return _faults(folder, identity, tuple((name, s.st_ino, s.st_ctime_ns, s.st_size) for name, s in states))


@lru_cache(maxsize=64)
def _faults(folder: Path, identity: str, _: tuple[tuple[str, int, int, int], ...]) -> list[str]:
    return faults(folder, identity)


def running(layout: Layout) -> dict[int, str]:
    """The version of each process whose program lies in one."""
    start = f"{layout.versions_folder.resolve()}/"
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            program = str((process / "exe").readlink())
        except OSError:
            continue
        if program.startswith(start):
            found[int(process.name)] = program.removeprefix(start).partition("/")[0]
    return found
