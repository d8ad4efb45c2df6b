"""How far the figures of `ltc-edge profile` can be trusted, and what a profile takes. Prints JSON.

    python tools/bench_profile.py BUNDLE                      # all parts, on this machine
    python tools/bench_profile.py BUNDLE --only independent   # one of them; repeatable

independent   our latencies against programs that are not ours, on the same files
overhead      what the harness adds to a step of a microsecond
repeat        whole profiles one after the other
baseline      flags of --baseline among equal controllers, and among some that were made slower
ssh           seconds of a profile over ssh, on the loopback interface

The bundle is one with all formats. Load and time that the hypervisor took are said with each part, since they
move what is timed. Needs the extras litert and dev, a C compiler, and an ssh server for the last part.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from profile_bench import independent, over_ssh, overhead, planted, repeat
from profile_bench.subject import machine_state, read_bundle

from ltc_edge.errors import LtcEdgeError

PARTS = ("independent", "overhead", "repeat", "baseline", "ssh")


def parts(arguments: argparse.Namespace) -> dict[str, Callable[[], dict[str, Any]]]:
    """What each part runs."""
    bundle = read_bundle(arguments.bundle)
    quick = read_bundle(arguments.bundle, repeat.FORMATS)
    return {
        "independent": lambda: independent.measure(bundle, arguments.rounds),
        "overhead": lambda: overhead.measure(arguments.rounds),
        "repeat": lambda: repeat.measure(quick, arguments.runs),
        "baseline": lambda: planted.measure(bundle, arguments.equal_runs),
        "ssh": lambda: over_ssh.measure(arguments.bundle, arguments.ssh_runs),
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bundle", type=Path, help="folder of `ltc-edge export`, with all formats")
    parser.add_argument("--only", action="append", choices=PARTS, default=[], help="repeatable; all parts")
    parser.add_argument("--rounds", type=int, default=21, help="of independent and overhead")
    parser.add_argument("--runs", type=int, default=5, help="profiles of repeat")
    parser.add_argument("--equal-runs", type=int, default=20, help="of baseline")
    parser.add_argument("--ssh-runs", type=int, default=3, help="of ssh")
    arguments = parser.parse_args()
    document: dict[str, Any] = {}
    try:
        measures = parts(arguments)
        for name in arguments.only or PARTS:
            print(name, file=sys.stderr)
            before, start = machine_state(), time.perf_counter()
            found = measures[name]()
            seconds = time.perf_counter() - start
            state = {"before": before, "after": machine_state(), "seconds": seconds}
            document[name] = {"found": found, "machine": state}
    except LtcEdgeError as error:
        sys.exit(str(error))
    print(json.dumps(document, indent=2))


if __name__ == "__main__":
    main()
