"""``ltc-edge verify``: a bundle through its trials again, on whatever machine it came to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc_edge.bundle.bundle import Bundle, names_code
from ltc_edge.bundle.contents import GOLDEN
from ltc_edge.bundle.pipeline import ExportOptions, OnShare, verify_artifact
from ltc_edge.bundle.plan import bundle_plan
from ltc_edge.errors import BundleError, InputError, LtcEdgeError, MissingExtraError
from ltc_edge.export.formats import FORMATS
from ltc_edge.export.program import Affine
from ltc_edge.files import safetensors_from_bytes
from ltc_edge.verification.golden import check_golden
from ltc_edge.verification.report import FormatReport
from ltc_edge.verification.task_trial import Loaded, load_source, task_trial
from ltc_edge.verification.verify import Trials


def verify_bundle(
    bundle: Bundle,
    formats: Sequence[str],
    options: ExportOptions,
    on_share: OnShare = lambda _, __: None,
    *,
    trust_task: bool = False,
) -> tuple[dict[str, FormatReport], str | None]:
    """Put a bundle's files through their trials, against the float64 reference of its hub.

    Args:
        bundle: the bundle.
        formats: names of formats that must be run; all, as far as they can be, where there are none.
        options: episodes and tolerances.
        on_share: told what is being done, and the share of it that is.
        trust_task: whether code may be run that the bundle names as its task.

    Returns:
        The reports by format, and why the task was not run, if it was not.

    Raises:
        BundleError: the bundle's own documents do not fit together, or its golden vectors do not come out.
        MissingExtraError: the runtime of a format that was named is not installed.
    """
    controller = bundle.controller
    chosen = bundle.choose(formats)
    plan = bundle_plan(bundle)
    golden = safetensors_from_bytes(bundle.content(GOLDEN), str(bundle.path / GOLDEN))
    check_golden(controller, plan, golden, str(bundle.path / GOLDEN))
    loaded, note = _load(bundle, trust_task=trust_task)
    on_share("reference", 0.0)
    try:
        trial = task_trial(
            loaded, controller, episodes=options.episodes, on_share=lambda share: on_share("reference", share)
        )
    except InputError as error:
        raise BundleError(f"{bundle.path}: {error}") from None
    trials = Trials.of(controller, trial, note, _usual_values(bundle))
    reports = {}
    for name in (name for name in FORMATS if name in chosen):
        artifact = chosen[name]
        try:
            reports[name] = verify_artifact(artifact, controller, plan, trials, options, on_share)
        except MissingExtraError as error:
            if formats:
                raise
            reports[name] = FormatReport.not_run(artifact.bytes, error)
        except LtcEdgeError as error:
            raise BundleError(f"{bundle.path / artifact.form.file}: {error}") from None
    return reports, note


def _usual_values(bundle: Bundle) -> Affine | None:
    """What the sensor values of the calibration were about, where it was a recording of the user's."""
    document = bundle.files.manifest.get("usual_values")
    if document is None:
        return None
    try:
        center, span = (np.array(document[name], dtype=np.float64) for name in ("center", "span"))
        fits = center.shape == span.shape == (len(bundle.controller.observations),)
    except (KeyError, TypeError, ValueError):
        fits = False
    if not fits or not (np.isfinite(center).all() and np.isfinite(span).all() and (span > 0).all()):
        raise BundleError(f"{bundle.path}: its usual values of the sensors are unreadable; export it again")
    return Affine(center, span)


def _load(bundle: Bundle, *, trust_task: bool) -> tuple[Loaded | None, str | None]:
    source = bundle.source()
    if source is not None and names_code(source) and not trust_task:
        return None, f"{source.name} is code that the bundle names; --trust-task runs it"
    return load_source(source)
