"""Trains what the zoo is to have, by the command that its card names."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from zoo_build.wanted import Wanted


def train(entry: Wanted, work: Path, data: Path) -> None:
    """Train every run of an entry that is not complete; what was interrupted goes on."""
    for seed in entry.seeds:
        run = entry.run(work, seed)
        if (run / "summary.json").exists():
            continue
        arguments = (
            ["train", "--resume", "-o", str(run)]
            if (run / "config.json").exists()
            else [*entry.arguments(seed, str(data), str(run)), "--force"]
        )
        print(f"{entry.name}, seed {seed}", file=sys.stderr)
        subprocess.run([Path(sys.executable).with_name("ltc-edge"), *arguments], check=True)
