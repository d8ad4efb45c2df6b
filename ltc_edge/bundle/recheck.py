"""``ltc-edge verify``: a bundle through its trials again, on whatever machine it came to."""

from __future__ import annotations

from collections.abc import Sequence

from ltc_edge.bundle.folder import Bundle
from ltc_edge.bundle.pipeline import GOLDEN, PLAN, ExportOptions, OnShare, verify_artifact
from ltc_edge.controller import Controller
from ltc_edge.errors import BundleError, ControllerFileError, InputError, LtcEdgeError, MissingExtraError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.export.formats import FORMATS, HUB
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.plan_file import plan_from_bytes
from ltc_edge.files import safetensors_from_bytes
from ltc_edge.runtimes.codes import Interface
from ltc_edge.training.sources import Source, source_from_json
from ltc_edge.verification.golden import check_golden
from ltc_edge.verification.report import FormatReport
from ltc_edge.verification.task_trial import load_source, task_trial
from ltc_edge.verification.verify import Trials


def bundle_controller(bundle: Bundle) -> Controller:
    """The controller of a bundle, from its hub.

    Raises:
        ControllerFileError: the hub is not readable.
    """
    where = str(bundle.path / HUB.file)
    if HUB.file not in bundle.contents:
        raise BundleError(f"{where}: is missing from the manifest; export the bundle again")
    return controller_from_bytes(bundle.contents[HUB.file], where)


def bundle_source(bundle: Bundle) -> Source | None:
    """The task or recordings that a bundle's controller is for.

    Raises:
        BundleError: the manifest describes none that is known here.
    """
    document = bundle.manifest.get("source")
    if document is None:
        return None
    try:
        return source_from_json(document, bundle.path)
    except (ControllerFileError, InputError, TypeError, ValueError) as error:
        raise BundleError(f"{bundle.path}: the source of the controller is unreadable ({error})") from None


def bundle_artifacts(bundle: Bundle) -> dict[str, Artifact]:
    """The files of a bundle by format.

    Raises:
        BundleError: the manifest describes a format that is not known here, or a file it does not list.
    """
    artifacts = {}
    try:
        for name, entry in bundle.manifest["formats"].items():
            if entry["status"] != "ok":
                continue
            form = FORMATS[name]
            interface = Interface.from_json(entry["interface"])
            artifacts[name] = Artifact(form, bundle.contents[entry["file"]], interface)
    except (KeyError, TypeError, AttributeError, InputError) as error:
        raise BundleError(
            f"{bundle.path}: its list of formats is unreadable ({error}); upgrade ltc-edge"
        ) from None
    return artifacts


def choose(artifacts: dict[str, Artifact], formats: Sequence[str], bundle: Bundle) -> dict[str, Artifact]:
    """The formats asked for; all where none is named.

    Raises:
        InputError: the bundle has no such format.
    """
    missing = [name for name in formats if name not in artifacts]
    if missing:
        raise InputError(f"{bundle.path}: has no {missing[0]}; it has {', '.join(artifacts)}")
    return {name: artifacts[name] for name in formats} if formats else artifacts


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
    controller = bundle_controller(bundle)
    chosen = choose(bundle_artifacts(bundle), formats, bundle)
    plan = _plan(bundle)
    golden = safetensors_from_bytes(_content(bundle, GOLDEN), str(bundle.path / GOLDEN))
    check_golden(controller, golden, str(bundle.path / GOLDEN))
    loaded, note = load_source(bundle_source(bundle))
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
    if PLAN not in bundle.contents:
        return None
    return plan_from_bytes(bundle.contents[PLAN], str(bundle.path / PLAN))


def _content(bundle: Bundle, name: str) -> bytes:
    try:
        return bundle.contents[name]
    except KeyError:
        raise BundleError(
            f"{bundle.path / name}: is missing from the manifest; export the bundle again"
        ) from None
