"""The supervisor held against its tables: all its states, all contents of its memory, all floats.

    python tools/check_supervisor.py            # everything, about five minutes
    python tools/check_supervisor.py --stride 31   # every 31st input of the search, half a minute

Prints one JSON object. Exit 0 where everything holds, 1 where something does not, 2 for a tool that is
missing. docs/supervisor.md says what each part shows.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from supervisor_bench import exploring

from ltc_edge.errors import LtcEdgeError
from ltc_edge.supervision.codes import Fallback


def check(stride: int, folder: Path) -> dict[str, Any]:
    """All of it; ``ok`` where everything holds."""
    searches, analyses = {}, {}
    for law in Fallback:
        name = law.name.lower()
        found = exploring.explore(law, folder / f"search-{name}", stride)
        found.pop("transitions")
        searches[name] = found
        print(f"search, {name}: {found['states']} states, {found['steps']} steps", file=sys.stderr)
        analyses[name] = exploring.analyse(law, folder / f"analysis-{name}")
        print(f"analysis, {name}: {analyses[name]['shown']}", file=sys.stderr)
    floats = exploring.all_floats(folder / "floats", stride)
    covered = exploring.coverage(folder / "coverage", max(stride, 301))
    covered.pop("searches")
    ok = (
        all(found["failures"] == 0 for found in searches.values())
        and all(found["ok"] for found in analyses.values())
        and floats["ok"]
        and not covered["missed"]
    )
    return {"ok": ok, "searches": searches, "analyses": analyses, "floats": floats, "coverage": covered}


def main() -> int:
    """One JSON object on standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stride", type=int, default=1, help="every how many inputs are tried")
    arguments = parser.parse_args()
    if arguments.stride < 1:
        parser.error("--stride: expected a whole number above 0")
    with tempfile.TemporaryDirectory(prefix="supervisor-") as scratch:
        try:
            document = check(arguments.stride, Path(scratch))
        except LtcEdgeError as error:
            print(error, file=sys.stderr)
            return error.exit_code
    print(json.dumps(document, indent=2))
    return 0 if document["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
