"""How fast our cells train beside `ncps`, `nn.LSTM` and `nn.GRU`: whole sequences forwards and backwards.

    python tools/bench_training.py --json                     # the cases that have figures to reach
    python tools/bench_training.py --all --threads 1          # and other sizes, lengths, batches, solvers
    python tools/bench_training.py --case ncp19:8:64:rk4-6    # wiring, units:batch:length:solver-unfolds
    python tools/bench_training.py --memory --ncps-memory     # peak memory as well, of ncps too (up to 9 GB)
    python tools/bench_training.py --device cuda              # on a GPU, beside our kernel on the CPU

Prints one JSON object. Every case has 8 inputs and 4 motor neurons, 6 unfolds, float32. Our cell has the
wiring and the parameters of the ncps module, and before anything is timed outputs and gradients must agree;
LSTM and GRU have as many units. All take turns in one process: a ratio is the median over pairs, with its
quartiles. Needs the extras train and dev.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import torch
from training_bench.agreement import check_agreement
from training_bench.cases import CASES, MEMORY_CASE, MORE_CASES, Case
from training_bench.contenders import NAMES, contenders
from training_bench.energy import joules
from training_bench.kernel import kernel_facts
from training_bench.machine import load, machine
from training_bench.memory import peak_memory
from training_bench.timing import Effort, figures, take_turns

from ltc_edge.errors import LtcEdgeError

MEMORY_OF = ("ours", "ncps", "lstm")


def measure(case: Case, effort: Effort, with_ncps: bool, device: str) -> dict[str, Any]:
    """One row."""
    _say(f"{case.name}: checked")
    all_of_them = dict(contenders(case, device))
    row: dict[str, Any] = {"case": case.name}
    if with_ncps:
        row["agreement"] = check_agreement(case, all_of_them["ours"], all_of_them["ncps"])
    _say(f"{case.name}: timed")
    before = load()
    fast = {name: one for name, one in all_of_them.items() if name != "ncps"}
    times = take_turns(fast, all_of_them["ncps"] if with_ncps else None, effort)
    row |= figures(times, "ncps" if with_ncps else None)
    if device == "cpu":  # no counter here covers a GPU
        measured = NAMES if with_ncps else tuple(fast)
        row["joules"] = {name: joules(all_of_them[name]) for name in measured}
    return row | {"machine": {"before": before, "after": load()}}


def memory_rows(cases: list[Case], threads: int, with_ncps: bool) -> list[dict[str, Any]]:
    """Peak memory of each case; ncps needs up to 9 GB for some."""
    rows = []
    for case in cases:
        found: dict[str, Any] = {"case": case.name}
        for name in MEMORY_OF:
            if name == "ncps" and not with_ncps:
                found[name] = {"bytes": None, "reason": "not asked for: --ncps-memory"}
                continue
            _say(f"{case.name}: memory of {name}")
            found[name] = peak_memory(case, name, threads)
        rows.append(found)
    return rows


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _case(name: str) -> Case:
    try:
        return Case.parse(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", type=_case, action="append", default=[], help="repeatable; in place of all")
    parser.add_argument("--all", action="store_true", help="more cases than have figures to reach")
    parser.add_argument("--threads", type=int, default=2, help="default 2")
    parser.add_argument("--seconds", type=float, default=Effort.seconds, help="of a case, about; default 60")
    parser.add_argument("--no-ncps", action="store_true", help="ours against LSTM and GRU alone")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="where cells run")
    parser.add_argument("--memory", action="store_true", help=f"peak memory of {MEMORY_CASE.name} or --case")
    parser.add_argument("--ncps-memory", action="store_true", help="of ncps as well")
    parser.add_argument("--json", action="store_true", help="on one line")
    return parser


def main() -> None:
    """Print the figures as JSON."""
    arguments = _parser().parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        sys.exit("there is no GPU that torch could use")
    torch.set_num_threads(arguments.threads)
    cases = arguments.case or [*CASES, *(MORE_CASES if arguments.all else ())]
    document: dict[str, Any] = {
        **machine(),
        "threads": arguments.threads,
        "kernel": kernel_facts(),
        "gpu": torch.cuda.get_device_name() if arguments.device == "cuda" else None,
        "load": load(),
        "rows": [],
    }
    try:
        for case in cases:
            row = measure(case, Effort(arguments.seconds), not arguments.no_ncps, arguments.device)
            document["rows"].append(row | {"threads": arguments.threads})
    except LtcEdgeError as error:
        sys.exit(str(error))
    if arguments.memory:
        wanted = arguments.case or [MEMORY_CASE]
        document["memory"] = memory_rows(wanted, arguments.threads, arguments.ncps_memory)
    print(json.dumps(document, indent=None if arguments.json else 2))


if __name__ == "__main__":
    main()
