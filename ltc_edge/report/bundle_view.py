"""What a bundle says of itself, read for the report: its manifest and its verification."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.bundle.contents import REPORT
from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.export.formats import FORMATS
from ltc_edge.report.fields import Fields, clean, fields_from_bytes
from ltc_edge.report.profile import Firmware
from ltc_edge.report.profile_file import firmware_of


@dataclass(frozen=True)
class Verified:
    """What `verification.json` says of one format; None where it was not measured."""

    name: str
    status: str
    reason: str | None
    detail: str | None
    bytes: int | None
    rms_over_sigma: float | None
    max_abs_error: float | None
    value: float | None
    metric: str | None
    lost_percent: float | None
    lost_ci95: tuple[float, ...]
    firmware: tuple[tuple[str, Firmware], ...]


@dataclass(frozen=True)
class BundleView:
    """A bundle, read.

    Attributes:
        sha256: of its manifest.
        formats: in the order of the export.
        task_note: why its task was not run, if it was not.
        is_verified: whether there is a verification at all.
    """

    bundle: Bundle
    sha256: str
    formats: tuple[Verified, ...]
    task_note: str | None
    is_verified: bool

    @property
    def source(self) -> str | None:
        """The name of the task or recordings that the controller is for."""
        source = self.bundle.source()
        return None if source is None else clean(source.name)


def read_bundle_view(bundle: Bundle) -> BundleView:
    """What the report needs of a bundle.

    Raises:
        BundleError: one of its documents is unreadable.
        InputError: a figure in it is of the wrong type.
    """
    if REPORT not in bundle.files.contents:
        names = bundle.files.manifest["formats"]
        formats = tuple(_of_manifest(bundle, name) for name in FORMATS if name in names)
        return BundleView(bundle, bundle.manifest_sha256(), formats, None, False)
    document = fields_from_bytes(bundle.content(REPORT), str(bundle.path / REPORT))
    formats = tuple(_verified(name, entry) for name, entry in document.by_name("formats"))
    return BundleView(bundle, bundle.manifest_sha256(), formats, document.text("task_note"), True)


def _of_manifest(bundle: Bundle, name: str) -> Verified:
    entry = Fields(bundle.files.manifest["formats"][name], f"{bundle.path / MANIFEST}: {name}")
    size = bundle.artifacts[name].bytes if name in bundle.artifacts else None
    status = "refused" if entry.text("status") == "refused" else "unverified"
    nothing = dict.fromkeys(("rms_over_sigma", "max_abs_error", "value", "metric", "lost_percent"))
    return Verified(
        name, status, entry.text("reason"), entry.text("detail"), size, **nothing, lost_ci95=(), firmware=()
    )


def _verified(name: str, fields: Fields) -> Verified:
    free, task = fields.inside("free_run"), fields.inside("task")
    scored = task.text("metric")
    return Verified(
        name=name,
        status=fields.text("status") or "unverified",
        reason=fields.text("reason"),
        detail=fields.text("detail"),
        bytes=fields.count("bytes"),
        rms_over_sigma=free.number("rms_over_sigma"),
        max_abs_error=free.number("max_abs_error"),
        value=task.number("return_mean" if scored is None else "value"),
        metric=scored,
        lost_percent=task.number("return_lost_percent" if scored is None else "lost_percent"),
        lost_ci95=task.numbers("lost_ci95"),
        firmware=tuple((target, firmware_of(entry)) for target, entry in fields.by_name("firmware")),
    )
