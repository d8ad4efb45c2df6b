"""What runs on a Ray worker: one replicate, and how its run folder comes to the driver."""

from __future__ import annotations

import dataclasses
import platform
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.errors import InputError, LtcEdgeError
from ltc_edge.sweep.engines.carry_out import carry_out, load
from ltc_edge.sweep.engines.run_archive import pack, unpack
from ltc_edge.sweep.work import Work, run_folder_of
from ltc_edge.version import __version__


@dataclass(frozen=True)
class Driver:
    """What a worker has to know of the process that holds the sweep.

    Attributes:
        do: the function that does a replicate, as ``module:function``.
        trials: the folder of trials, as the driver names it.
        mark: an empty file in it, of a name that nobody can guess: who sees it, sees the driver's disk.
        version: of ltc-edge there.
    """

    do: str
    trials: Path
    mark: Path
    version: str = __version__


@dataclass(frozen=True)
class Delivery:
    """What comes back from a worker.

    Attributes:
        outcome: in its JSON form.
        run: the run folder as `pack` gives it; None where it was written on the driver's disk, or is not.
    """

    outcome: dict[str, Any]
    run: bytes | None


def deliver(work: Work, driver: Driver, begun: bytes | None = None) -> Delivery:
    """Do ``work`` on the driver's disk where it is seen from here, and otherwise in a folder of its own.

    Args:
        work: what to do.
        driver: for whom.
        begun: what the driver has of the run folder, as `pack` gives it.

    Raises:
        InputError: another version of ltc-edge is installed here.
        LtcEdgeError: this machine, or what all trials share, is at fault, see `carry_out`; names the machine.
        MemoryError: there is not enough here and now.
    """
    if __version__ != driver.version:
        raise InputError(
            f"{platform.node()} has ltc-edge {__version__} and the driver {driver.version}; "
            "install the same on all nodes, or let the driver send its own"
        )
    try:
        if driver.mark.exists():
            return Delivery(_do(work, driver.do, driver.trials), None)
        with tempfile.TemporaryDirectory(prefix="ltc-edge-sweep-") as scratch:
            folder = run_folder_of(Path(scratch), work)
            if begun is not None:
                unpack(begun, folder)
            outcome = _do(work, driver.do, Path(scratch))
            return Delivery(outcome, pack(folder) if folder.is_dir() else None)
    except LtcEdgeError as error:
        # Those that carry more than a message would not survive the journey.
        kind = type(error) if type(error).__init__ is Exception.__init__ else InputError
        raise kind(f"{platform.node()}: {error}") from None


def _do(work: Work, do: str, trials: Path) -> dict[str, Any]:
    return dataclasses.asdict(carry_out(load(do), work, trials))
