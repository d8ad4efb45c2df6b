"""What the notes promise of liquid cells, measured against CfC, CT-RNN, LSTM and GRU of the same size.

    python tools/bench_notes.py -o WORK --data-dir DATA              # everything: hours
    python tools/bench_notes.py -o WORK --data-dir DATA --stage train --subject dc-motor
    python tools/bench_notes.py -o WORK --data-dir DATA --stage report --json
    python tools/bench_notes.py -o WORK --data-dir DATA --quick      # minutes, to see that it runs

Stages, in this order: ``train`` makes a run folder for every subject, cell and seed under WORK; ``score``
keeps the figures of each run in it; ``report`` compares them. Whatever is there already is not made again, so
that an interrupted campaign goes on. Progress goes to standard error. Needs the extras train and firmware.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from notes.comparison import Comparison
from notes.contenders import CELLS
from notes.scoring import score
from notes.subjects import SUBJECTS, Effort, subject
from notes.tables import markdown
from notes.training import campaign, say, train

from ltc_edge.errors import LtcEdgeError
from ltc_edge.version import __version__

STAGES = ("train", "score", "report")
SEEDS = 5


def effort_of(arguments: argparse.Namespace) -> Effort:
    if arguments.quick:
        return "quick"
    return "full" if arguments.full else "short"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="the work folder")
    parser.add_argument("--data-dir", type=Path, required=True, help="where the recordings lie")
    parser.add_argument("--stage", action="append", choices=STAGES, default=[], help="repeatable; all")
    parser.add_argument("--subject", action="append", choices=SUBJECTS, default=[], help="repeatable; all")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"trainings of each; {SEEDS}")
    parser.add_argument("--cell", action="append", choices=CELLS, default=[], help="repeatable; all")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="two seeds, trained for a moment")
    effort.add_argument(
        "--full", action="store_true", help="trained as long as the product's defaults have it"
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON, not as tables")
    arguments = parser.parse_args()
    stages = arguments.stage or STAGES
    seeds = range(2 if arguments.quick else arguments.seeds)
    try:
        names, data_dir = arguments.subject or SUBJECTS, arguments.data_dir.resolve()
        chosen = [subject(name, data_dir, effort_of(arguments)) for name in names]
        runs = list(campaign(chosen, seeds, arguments.output, arguments.cell or CELLS))
        if "train" in stages:
            for run in runs:
                train(run)
        if "score" in stages:
            score(runs)
        if "report" in stages:
            found = {"ltc_edge": __version__, "seeds": list(seeds)} | Comparison.of(runs).document()
            print(json.dumps(found, allow_nan=False) if arguments.json else markdown(found))
    except LtcEdgeError as error:
        say(f"Error: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("Interrupted. The same command goes on.")
        sys.exit(130)


if __name__ == "__main__":
    main()
