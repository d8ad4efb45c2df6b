"""What to do with a trial: the commands that export, verify and profile it, ready for a shell."""

from __future__ import annotations

import shlex
from pathlib import Path

from ltc_edge.sweep.front import TrialResult


def next_commands(sweep: Path, result: TrialResult, target: str | None) -> dict[str, str]:
    """By its name, each command that follows a trial; none for one without a run.

    Args:
        sweep: the folder of the sweep, as people name it.
        result: of the trial.
        target: where it was counted, and can be profiled; None for this machine.
    """
    if result.run_folder is None:
        return {}
    bundle = f"controller-{result.number:04d}"
    exported = ["export", str(sweep / result.run_folder), "-o", bundle]
    if "format" in result.settings:
        exported += ["--format", str(result.settings["format"])]
    profiled = ["profile", bundle, *(["--target", target] if target else [])]
    return {words[0]: shlex.join(["ltc-edge", *words]) for words in (exported, ["verify", bundle], profiled)}
