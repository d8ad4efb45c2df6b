"""``ltc-edge verify``: a bundle through its trials again, on whatever machine it came to."""

from __future__ import annotations

from collections.abc import Sequence

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.bundle.pipeline import GOLDEN, PLAN, ExportOptions, OnShare, verify_artifact
from ltc_edge.errors import BundleError, LtcEdgeError, MissingExtraError
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.plan_file import plan_from_bytes
from ltc_edge.files import safetensors_from_bytes
from ltc_edge.verification.golden import check_golden
from ltc_edge.verification.report import FormatReport
from ltc_edge.verification.task_trial import load_source, task_trial
from ltc_edge.verification.verify import Trials


def verify_bundle(
    bundle: Bundle, formats: Sequence[str], options: ExportOptions, on_share: OnShare = lambda _, __: None
) -> tuple[dict[str, FormatReport], str | None]:
    """Put a bundle's files through their trials, against the float64 reference of its hub.

    Returns:
        The reports by format, and why the task was not run, if it was not.

    Raises:
        BundleError: the bundle's own documents do not fit together, or its golden vectors do not come out.
        MissingExtraError: the runtime of a format that was named is not installed.
    """
    controller = bundle.controller
    chosen = bundle.choose(formats)
    plan = _plan(bundle)
    golden = safetensors_from_bytes(bundle.content(GOLDEN), str(bundle.path / GOLDEN))
    check_golden(controller, golden, str(bundle.path / GOLDEN))
    loaded, note = load_source(bundle.source())
    on_share("reference", 0.0)
    trial = task_trial(
        loaded, controller, episodes=options.episodes, on_share=lambda share: on_share("reference", share)
    )
    trials = Trials.of(controller, trial, note)
    reports = {}
    for name, artifact in chosen.items():
        try:
            reports[name] = verify_artifact(artifact, controller, plan, trials, options, on_share)
        except MissingExtraError as error:
            if formats:
                raise
            reports[name] = FormatReport.not_run(len(artifact.content), str(error))
        except LtcEdgeError as error:
            raise BundleError(f"{bundle.path / artifact.form.file}: {error}") from None
    return reports, note


def _plan(bundle: Bundle) -> QuantizationPlan | None:
    if PLAN not in bundle.files.contents:
        return None
    return plan_from_bytes(bundle.content(PLAN), str(bundle.path / PLAN))
