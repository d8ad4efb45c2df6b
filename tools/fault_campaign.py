"""Random sequences of faults over supervised controllers, in closed loop with their tasks' plants.

    python tools/fault_campaign.py BUNDLE... --sequences 1000000
    python tools/fault_campaign.py BUNDLE --form c-int16 --steps 100 --seed 7

The sequences are shared out among the bundles, the formats in C that each has, and the three fallback laws.
Prints one JSON object. Exit 0 where every action was finite, within its limits and its slew, every fault had
its status and no other step did, Python did the same as C, and every status was seen; else 1.
docs/supervisor.md says what is injected.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from supervisor_bench.campaign import Campaign, Result, campaigns

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.errors import LtcEdgeError

SEED_STEP = 1_000_003
"""From one campaign's seed to the next one's."""


def subjects(paths: list[Path], forms: list[str], folder: Path) -> Iterator[tuple[str, Campaign]]:
    """Every campaign, with what it is of."""
    for number, path in enumerate(paths):
        bundle = load_bundle(path)
        there = [form for form in forms if form in bundle.formats]
        for form in there:
            for law, campaign in campaigns(bundle, form, folder / str(number) / form):
                yield f"{bundle.controller.name}, {form}, {law.name.lower()}", campaign


def run(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """All of it; ``ok`` where nothing was violated and every status was seen."""
    made = list(subjects(arguments.bundles, arguments.form, folder))
    whole, began, parts = Result(), time.process_time(), {}
    for number, (name, campaign) in enumerate(made):
        share = arguments.sequences // len(made) + (number < arguments.sequences % len(made))
        seed = arguments.seed + number * SEED_STEP
        found = campaign.run(share, arguments.steps, seed, arguments.compare)
        whole.add(found)
        parts[name] = {"sequences": found.sequences, "seed": seed, "ok": found.held}
        print(f"{name}: {share} sequences, {'holds' if found.held else 'DOES NOT HOLD'}", file=sys.stderr)
    document = whole.to_json()
    document["ok"] = document["ok"] and not (whole.statuses_unseen or whole.faults_untold)
    return document | {
        "steps_of_a_sequence": arguments.steps,
        "cpu_seconds": round(time.process_time() - began, 1),
        "campaigns": parts,
    }


def main() -> int:
    """One JSON object on standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundles", nargs="+", type=Path, metavar="BUNDLE", help="of a task, with C")
    parser.add_argument("--form", action="append", choices=("c-float32", "c-int16"), help="both if not given")
    parser.add_argument("--sequences", type=int, default=10_000, help="in all")
    parser.add_argument("--steps", type=int, default=60, help="periods of a sequence")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--compare", type=int, default=20, help="sequences of each campaign that Python does too"
    )
    arguments = parser.parse_args()
    arguments.form = arguments.form or ["c-float32", "c-int16"]
    if min(arguments.sequences, arguments.steps) < 1:
        parser.error("--sequences and --steps: expected whole numbers above 0")
    with tempfile.TemporaryDirectory(prefix="campaign-") as scratch:
        try:
            document = run(arguments, Path(scratch))
        except LtcEdgeError as error:
            print(error, file=sys.stderr)
            return error.exit_code
    print(json.dumps(document, indent=2))
    return 0 if document["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
