"""The run folder of a pruned controller: `evaluate`, `export` and `train --from` take it like any other."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ltc_edge.controller_file import save_controller
from ltc_edge.errors import OutputError
from ltc_edge.evaluation.inspection.pruning import Pruned
from ltc_edge.files import create_folder, new_folder_mode, sync_folder
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.session import read_plan


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse early where a run cannot go: a search takes minutes.

    Raises:
        OutputError: something is there, or with ``force`` something else than a run.
    """
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return
    if not force:
        raise OutputError(f"{path}: exists already; choose another with -o, or replace it with --force")
    if not (path / "config.json").exists():
        raise OutputError(f"{path}: is not a run folder, so --force does not replace it; choose another")


def write_pruned_run(
    pruned: Pruned, source: Path, path: Path, *, value: float, seconds: float, force: bool
) -> None:
    """Write the run folder ``path``, whole or not at all.

    ``initial.safetensors`` is the controller before it was pruned, and the plan is the one it was trained by.

    Args:
        pruned: what was found.
        source: the run that was pruned.
        path: the new run.
        value: of the run's metric, for its summary.
        seconds: how long it took.
        force: replace a run that is there.

    Raises:
        OutputError: it exists already, or cannot be written.
    """
    refuse_existing(path, force=force)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    try:
        beside.chmod(new_folder_mode())
        folder = RunFolder(beside)
        folder.write_config(read_plan(source).to_json() | {"start": str(source / "controller.safetensors")})
        save_controller(pruned.before, folder.initial_file)
        synapses = "{} of {} synapses".format(*reversed(pruned.synapses))
        told = {**pruned.after.provenance, "pruned": f"to {synapses}, verified on {pruned.verified_on}"}
        folder.save_controller(dataclasses.replace(pruned.after, provenance=told))
        folder.finish(_summary(pruned, source, path, value, seconds))
        create_folder(path, force=force)
        path.rmdir()
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _summary(pruned: Pruned, source: Path, path: Path, value: float, seconds: float) -> dict[str, Any]:
    trained = RunFolder(source).summary() or {}
    return trained | {
        "run": str(path),
        "units": pruned.after.cell.units,
        "parameters_effective": pruned.after.parameters_effective(),
        "parameters_dense": pruned.after.parameters_dense(),
        "value": value,
        "pruning": pruning_document(pruned, seconds),
    }


def pruning_document(pruned: Pruned, seconds: float) -> dict[str, Any]:
    """What was removed and how it was verified, for `summary.json` and ``--json``."""
    before, after = pruned.synapses
    comparison = pruned.comparison
    return {
        "synapses_before": before,
        "synapses_after": after,
        "removed_share": pruned.removed_share,
        "neurons_before": pruned.before.cell.units,
        "neurons_after": pruned.after.cell.units,
        "parameters_before": pruned.before.parameters_effective(),
        "parameters_after": pruned.after.parameters_effective(),
        "unheard": list(pruned.unheard),
        "finetuned": pruned.tuned,
        "verified_on": pruned.verified_on,
        "trials": comparison.trials,
        "score_before": comparison.before,
        "score_before_ci95": list(comparison.before_ci95),
        "score_after": comparison.after,
        "lost": comparison.lost,
        "lost_ci95": list(comparison.lost_ci95),
        "margin": comparison.margin,
        "kept": comparison.kept,
        "candidates_refused": pruned.refused,
        "seconds": round(seconds, 3),
    }
