"""How near the fused kernel comes to its roof: the time of its synapse evaluations with nothing around them.

    python tools/bench_roofline.py --json                 # the dense and NCP cases that have figures to reach
    python tools/bench_roofline.py --case dense64:32:128  # as in bench_training.py; repeatable

Prints one JSON object. On one thread, in turns: a loop in the kernel's own library that evaluates a synapse
and does nothing else, forwards and backwards, and the kernel's calls, without torch around them, both in the
thread's own time. The share is
(evaluations forwards and backwards, times what each costs in the loop) / (time of the calls). Evaluations are
those of the batch, once each: lanes that are idle, steps computed again, and all that is not a synapse keep
the kernel from 1. Needs the extras train and dev, and a compiler or a wheel with the kernel.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import torch
from training_bench.cases import CASES, Case
from training_bench.contenders import contender
from training_bench.kernel import kernel_facts
from training_bench.machine import load, machine
from training_bench.roof import share_of_roof

from ltc_edge.errors import LtcEdgeError
from ltc_edge.kernels.library import instruction_set, instruction_sets
from ltc_edge.kernels.ltc import library
from ltc_edge.kernels.mode import kernel

ROUNDS = 15


def _case(name: str) -> Case:
    try:
        case = Case.parse(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if case.kind == "wired-cfc":
        raise argparse.ArgumentTypeError(f"{name}: a CfC has no synapse evaluations")
    return case


def measure(cases: list[Case], isa: str | None, rounds: int) -> dict[str, Any]:
    """Rows with the kernel's instruction set of this name, or its own choice."""
    loaded = library()
    with instruction_set(loaded, isa or instruction_sets(loaded)[0]):
        document: dict[str, Any] = {**machine(), "kernel": kernel_facts(), "load": load(), "rows": []}
        for case in cases:
            print(case.name, file=sys.stderr, flush=True)
            row = share_of_roof(loaded, case, contender("ours", case), rounds)
            document["rows"].append(row | {"load": load()})
    return document


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", type=_case, action="append", default=[], help="repeatable; in place of all")
    parser.add_argument("--isa", help="instruction set; the best that is here where not given")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}")
    parser.add_argument("--json", action="store_true", help="on one line")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    cases = arguments.case or [case for case in CASES if case.kind != "wired-cfc"]
    try:
        with kernel("fused"):
            document = measure(cases, arguments.isa, arguments.rounds)
    except LtcEdgeError as error:
        sys.exit(str(error))
    print(json.dumps(document, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
