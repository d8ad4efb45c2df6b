"""Are the upper bounds sound, and how narrow are the brackets? Random networks of every cell. Prints JSON.

    python tools/bench_lipschitz.py                        # 100,000 (network, box) pairs
    python tools/bench_lipschitz.py --pairs 1000 --seed 3

Each network is drawn anew, with any cell, solver, mode and activation, of 2 to 8 units; each has 50 boxes, of
one radius out of ±0.01 to ±1, for a step or a few, with the state in the box or not. In each box the upper
bound is held against the lower one and against difference quotients of the float64 reference, which shares no
code with it. A violation is an upper bound below either.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from typing import Any

import numpy as np
from lipschitz_bench.networks import CELLS
from lipschitz_bench.pairs import bracketed

BOXES = 50


def campaign(pairs: int, seed: int, *, boxes: int = BOXES, progress: bool = False) -> dict[str, Any]:
    """Counts and ratios by cell and by radius."""
    networks = -(-pairs // boxes)
    by_cell: dict[str, dict[str, int]] = defaultdict(lambda: {"pairs": 0, "violations": 0, "unknown": 0})
    ratios: dict[float, list[float]] = defaultdict(list)
    names = list(CELLS)
    for index in range(networks):
        name = names[index % len(names)]
        found = bracketed(name, boxes, np.random.default_rng([seed, index]))
        row = by_cell[name]
        row["pairs"] += boxes
        row["violations"] += found.violations
        row["unknown"] += int((~np.isfinite(found.upper)).sum())
        known = np.isfinite(found.upper) & (found.lower > 0)
        ratios[found.radius] += (found.upper[known] / found.lower[known]).tolist()
        if progress and index % 200 == 199:
            print(f"{(index + 1) * boxes} pairs", file=sys.stderr, flush=True)
    return {
        "pairs": networks * boxes,
        "networks": networks,
        "seed": seed,
        "violations": sum(row["violations"] for row in by_cell.values()),
        "cells": dict(by_cell),
        "ratio_quartiles": {
            f"{radius:g}": np.quantile(found, [0.25, 0.5, 0.75]).tolist()
            for radius, found in sorted(ratios.items())
        },
    }


def main() -> int:
    """Run, and print; 1 where a bound is not sound."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    started = time.process_time()
    document = campaign(arguments.pairs, arguments.seed, progress=True)
    print(json.dumps(document | {"cpu_s": round(time.process_time() - started, 1)}))
    return 1 if document["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
