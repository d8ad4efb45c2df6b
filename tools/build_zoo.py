"""Make the zoo: train what ``tools/zoo.toml`` lists, measure it, and put it into the package.

    python tools/build_zoo.py --work WORK --data DATA                 # all of it; goes on where it was
    python tools/build_zoo.py --work WORK --only 'cartpole-*'         # some of it
    python tools/build_zoo.py --work WORK --steps measure pack --again  # after a change of what writes C

Of each entry: ``train`` leaves its runs in WORK/runs, ``measure`` its bundle in WORK/bundles and its figures
in WORK/measured, and ``pack`` puts it into ltc_edge/zoo and the page. What is there already is not done
again, but for ``pack``, which takes no time. An entry of which seeds are missing is left alone, unless
--seeds-so-far. DATA holds the recordings as ``ltc-edge train --data-dir`` takes them. Needs the extras train
and firmware, a C compiler and the cross compilers that ``ltc-edge targets`` lists.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from zoo_build.measuring import measure, trained_runs
from zoo_build.packing import MOST_BYTES, package_bytes, put, write_index, write_page
from zoo_build.training import train
from zoo_build.wanted import Wanted, chosen, read_wanted

from ltc_edge.errors import VerificationFailedError
from ltc_edge.files import write_atomically
from ltc_edge.zoo.index import INDEX, read_index

STEPS = ("train", "measure", "pack")


def main() -> None:
    """Do the steps that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder of runs, bundles and figures")
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of recordings")
    parser.add_argument("--only", default="*", help="pattern of names")
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--again", action="store_true", help="measure what is measured already")
    parser.add_argument(
        "--seeds-so-far", action="store_true", help="measure entries of which seeds are missing"
    )
    arguments = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    wanted, missing = read_wanted()
    for entry in chosen(wanted, arguments.only):
        if "train" in arguments.steps:
            train(entry, arguments.work, arguments.data)
        if "measure" in arguments.steps:
            _measure(entry, arguments)
        figures = _figures(entry, arguments.work)
        if "pack" in arguments.steps and figures is not None:
            put(entry, figures, arguments.work, wanted, missing)
    if "pack" in arguments.steps:
        write_index(None, wanted, missing)
        write_page()
    taken = package_bytes()
    print(f"{len(read_index(INDEX).entries)} of {len(wanted)} entries, {taken:,} bytes of {MOST_BYTES:,}")
    sys.exit(0 if taken <= MOST_BYTES else 1)


def _figures_file(entry: Wanted, work: Path) -> Path:
    return work / "measured" / f"{entry.name}.json"


def _figures(entry: Wanted, work: Path) -> dict[str, Any] | None:
    """What was measured of an entry, as it is listed now."""
    path = _figures_file(entry, work)
    if not path.exists():
        return None
    figures: dict[str, Any] = json.loads(path.read_bytes())
    commands = [entry.command(seed) for seed in entry.seeds]
    return figures if figures["command"] in commands else None


def _measure(entry: Wanted, arguments: argparse.Namespace) -> None:
    """Measure an entry, unless that is done."""
    runs, known = trained_runs(entry, arguments.work), _figures(entry, arguments.work)
    if not runs or (len(runs) < len(entry.seeds) and not arguments.seeds_so_far):
        print(f"{entry.name}: {len(runs)} of {len(entry.seeds)} seeds are trained; left out", file=sys.stderr)
        return
    if known is not None and not arguments.again and len(known["seeds"]["runs"]) == len(runs):
        return
    try:
        document = measure(entry, runs, arguments.work, arguments.data)
    except VerificationFailedError as failed:
        print(f"{failed}; left out", file=sys.stderr)
        return
    path = _figures_file(entry, arguments.work)
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, json.dumps(document, allow_nan=False).encode())
    print(f"{entry.name}: measured", file=sys.stderr)


if __name__ == "__main__":
    main()
