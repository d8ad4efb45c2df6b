"""From trained runs to figures: the best seed exported, verified, played, corrupted, and written down."""

from __future__ import annotations

import importlib.metadata
import json
import platform
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ltc_edge.bundle.bundle import Bundle, load_bundle
from ltc_edge.bundle.contents import REPORT
from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import subject_of
from ltc_edge.controller import Controller
from ltc_edge.controller_file import load_controller
from ltc_edge.errors import FormatRefusedError, VerificationFailedError
from ltc_edge.evaluation.corruption.campaign import Campaign
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.evaluation.rollout import StepperPolicy
from ltc_edge.export.formats import HUB
from ltc_edge.kernels.library import instruction_sets
from ltc_edge.kernels.mode import fused_library
from ltc_edge.logs import METRICS, Dataset
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.tasks.protocol import Task
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.version import __version__
from ltc_edge.zoo.archive import CONTROLLER
from ltc_edge.zoo.entry import FORMAT
from ltc_edge.zoo.take import refusals
from zoo_build.scoring import over_seeds, score
from zoo_build.wanted import Wanted

FLOAT = "c-float32"
"""What every entry has beside the hub."""

FORMATS = (FLOAT, FORMAT)
"""Beside the hub: what a board runs. All others are an `ltc-edge export` away."""

CORRUPTED_EPISODES = 20
_LIBRARIES = ("numpy", "onnx", "onnxruntime", "torch", "gymnasium", "mujoco")


@dataclass(frozen=True)
class Trained:
    """One run of an entry.

    Attributes:
        seed: of the training.
        run: its folder.
        validation: its figure on the episodes or recordings that checkpoints are chosen on.
    """

    seed: int
    run: Path
    validation: float


def trained_runs(entry: Wanted, work: Path) -> list[Trained]:
    """The complete runs of an entry."""
    found = []
    for seed in entry.seeds:
        folder = RunFolder(entry.run(work, seed))
        summary = folder.summary() if folder.path.exists() else None
        if summary is not None:
            found.append(Trained(seed, folder.path, summary["validation"]))
    return found


def bundle_folder(entry: Wanted, work: Path) -> Path:
    """Where the bundle of an entry is, as it was exported."""
    return work / "bundles" / entry.name


def measure(entry: Wanted, runs: Sequence[Trained], work: Path, data: Path) -> dict[str, Any]:
    """All figures of an entry, of the run that is best on validation; its bundle is left in ``work``.

    A run that does not verify in the formats of the zoo makes room for the next best. Where none does, the
    best that verifies in floats is the entry, with the reason why it has no more.

    Raises:
        VerificationFailedError: no run verifies in floats.
    """
    loaded = entry.source(str(data)).load()
    subject: Task | Dataset = loaded[0] if isinstance(loaded, tuple) else loaded
    metric, sign = ("return", 1) if not isinstance(subject, Dataset) else _direction(subject)
    ranked = sorted(runs, key=lambda each: -sign * each.validation)
    best, bundle, refused = _export(entry, ranked, bundle_folder(entry, work), data)
    form = FORMAT if FORMAT in bundle.formats else FLOAT
    controller = load_controller(best.run / CONTROLLER)
    scores = {each.seed: score(subject, load_controller(each.run / CONTROLLER)) for each in runs}
    return {
        "task": entry.task,
        "cell": entry.cell,
        "size": entry.size,
        "units": controller.cell.units,
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
        "metric": metric,
        "lower_is_better": sign < 0,
        "format": form,
        "refused": refusals(bundle.files.manifest["formats"]),
        "score": score(subject, bundle.controller, StepperPolicy(bundle.stepper(form))),
        "score_float64": scores[best.seed],
        "seeds": {
            "chosen": best.seed,
            "runs": [
                {
                    "seed": each.seed,
                    "validation": each.validation,
                    "value": scores[each.seed]["value"],
                    "refused": refused.get(each.seed),
                }
                for each in runs
            ],
            **over_seeds([scores[each.seed]["value"] for each in runs]),
        },
        "corruption": None if isinstance(subject, Dataset) else _corruption(subject, bundle.controller),
        "formats": _formats(bundle),
        "command": entry.command(best.seed),
        "made_with": _made_with(),
    }


def _direction(data: Dataset) -> tuple[str, int]:
    return data.metric, -1 if METRICS[data.metric].lower_is_better else 1


def _export(
    entry: Wanted, ranked: Sequence[Trained], path: Path, data: Path
) -> tuple[Trained, Bundle, dict[int, str]]:
    """The bundle of the first run that verifies on the task, and why runs do not in all formats, by seed.

    All formats are asked of every run before any is let off.
    """
    refused: dict[int, str] = {}
    options = ExportOptions(formats=FORMATS, force=True)
    for tolerant in (False, True):
        for run in ranked:
            subject = subject_of(load_controller(run.run / CONTROLLER), entry.source(str(data)))
            try:
                export_bundle(subject, path, replace(options, tolerate_refusals=tolerant))
            except (VerificationFailedError, FormatRefusedError) as failed:
                refused[run.seed] = _why(failed)
                print(f"{entry.name}, seed {run.seed}: {failed}", file=sys.stderr)
                continue
            bundle = load_bundle(path)
            if FLOAT in bundle.formats:
                return run, bundle, refused
            shutil.rmtree(path)
    raise VerificationFailedError(f"{entry.name}: no seed verifies in {FLOAT}", {})


def _why(failed: VerificationFailedError | FormatRefusedError) -> str:
    """Why a run does not verify, in a word or a few."""
    if isinstance(failed, FormatRefusedError):
        return failed.reason
    return "accuracy of " + ", ".join(name for name, report in failed.reports.items() if report.failures)


def _corruption(task: Task, controller: Controller) -> dict[str, Any]:
    """Areas under the severity curves, in float64: all episodes are one batch."""
    campaign = Campaign(task, ReferenceBatch(controller), range(CORRUPTED_EPISODES))
    curves = [campaign.curve(kind) for kind in PACK.names]
    areas = {curve.kind: curve.area for curve in curves if curve.area is not None}
    return {
        "pack": {"version": PACK.version, "sha256": PACK.sha256},
        "episodes": CORRUPTED_EPISODES,
        "area_mean": sum(area.value for area in areas.values()) / len(areas) if areas else None,
        "areas": {kind: {"value": area.value, "ci95": list(area.ci95)} for kind, area in areas.items()},
    }


def _formats(bundle: Bundle) -> dict[str, Any]:
    """Of each format its bytes, its error, and what it takes of processors."""
    report = json.loads(bundle.content(REPORT))["formats"]
    found: dict[str, Any] = {}
    for name in (each for each in (HUB.name, *FORMATS) if each in bundle.formats):
        said, run = report[name], report[name]["free_run"]
        found[name] = {
            "bytes": said["bytes"],
            "max_abs_error": run["max_abs_error"],
            "rms_over_sigma": run["rms_over_sigma"],
            "firmware": {
                target: {key: figures[key] for key in _COSTS}
                for target, figures in said.get("firmware", {}).items()
                if "instructions_per_step" in figures
            },
        }
    return found


_COSTS = ("flash_bytes", "ram_bytes", "stack_bytes", "instructions_per_step")


def _made_with() -> dict[str, Any]:
    library = fused_library()
    return {
        "ltc-edge": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name).split("+")[0] for name in _LIBRARIES},
        "machine": platform.machine(),
        "kernels": "torch" if library is None else instruction_sets(library)[0],
    }
