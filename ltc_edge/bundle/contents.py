"""The files of a bundle, from what an export made and found out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ltc_edge.bundle.model_card import model_card
from ltc_edge.bundle.subject import Subject
from ltc_edge.bundle.tuning import Change
from ltc_edge.export.artifacts import Artifact, Refusal, description
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.plan_file import plan_bytes
from ltc_edge.export.program import Affine
from ltc_edge.files import safetensors_bytes
from ltc_edge.training.sources import source_to_json
from ltc_edge.verification.change import ChangeResult
from ltc_edge.verification.golden import golden_vectors
from ltc_edge.verification.report import FormatReport, report_bytes
from ltc_edge.version import __version__

PLAN, GOLDEN, REPORT, CARD = "quantization.json", "golden.safetensors", "verification.json", "model_card.md"


def contents(
    subject: Subject,
    made: Sequence[Artifact | Refusal],
    plan: QuantizationPlan | None,
    reports: Mapping[str, FormatReport],
    task_note: str | None,
    *,
    verified: bool,
    change: Change | None = None,
    cost: ChangeResult | None = None,
) -> dict[str, bytes]:
    """Every file but the manifest, by name."""
    files = {
        name: content for item in made if isinstance(item, Artifact) for name, content in item.files.items()
    }
    if plan is not None:
        files[PLAN] = plan_bytes(plan)
    files[GOLDEN] = safetensors_bytes(golden_vectors(subject.trained, subject.controller, plan))
    if verified:
        files[REPORT] = report_bytes(reports, task_note)
    card = model_card(
        subject, plan, reports, verified=verified, task_note=task_note, change=change, cost=cost
    )
    files[CARD] = card.encode()
    return files


def manifest(
    subject: Subject,
    made: Sequence[Artifact | Refusal],
    about: Affine | None,
    verified: Sequence[str],
    change: Change | None = None,
    cost: ChangeResult | None = None,
) -> dict[str, Any]:
    """The manifest but for what `write_bundle` adds.

    Args:
        subject: what was exported.
        made: each format's file, or why there is none.
        about: usual values of the sensors, where they are not the normaliser's.
        verified: what was done of the verification.
        change: what was changed after training; where nothing was, the manifest has no such key.
        cost: what that costs of the task, where it was run.
    """
    controller = subject.controller
    changed = {}
    if change is not None:
        changed["change"] = {**change.to_json(), "cost": None if cost is None else cost.to_json()}
    return {
        "ltc_edge": __version__,
        "cell": controller.cell.kind,
        "units": controller.cell.units,
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
        "source": None if subject.source is None else source_to_json(subject.source),
        **description(controller),
        "usual_values": None
        if about is None
        else {"center": about.center.tolist(), "span": about.span.tolist()},
        "verified": verified,
        **changed,
        "formats": {
            item.form.name: _entry(item)
            if isinstance(item, Artifact)
            else {"status": "refused", "reason": item.reason, "detail": item.detail}
            for item in made
        },
    }


def _entry(artifact: Artifact) -> dict[str, Any]:
    entry = {"status": "ok", "file": artifact.form.file, "interface": artifact.interface.to_json()}
    return entry if artifact.c_name is None else entry | {"name": artifact.c_name}
