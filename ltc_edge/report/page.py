"""The page: everything about a bundle in one file that needs neither a network nor a script."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.errors import InputError
from ltc_edge.report.bundle_tables import (
    facts,
    firmware_table,
    reasons,
    size_table,
    verification_table,
)
from ltc_edge.report.bundle_view import BundleView, read_bundle_view
from ltc_edge.report.circuit import circuit_of
from ltc_edge.report.fields import clean
from ltc_edge.report.profile import Profile
from ltc_edge.report.profile_file import read_profile
from ltc_edge.report.profile_view import profile_view
from ltc_edge.report.rates import rates_view
from ltc_edge.report.verdict import verdict, warnings
from ltc_edge.report.wiring_drawing import wiring_svg
from ltc_edge.version import __version__


def report_page(bundle: Bundle, profiles: Sequence[Path] = (), rates: Sequence[Path] = ()) -> bytes:
    """The report as HTML; the same input gives the same bytes.

    Args:
        bundle: what it is about.
        profiles: files of `ltc-edge profile` about the same bundle.
        rates: files of `ltc-edge evaluate --rate --json` about it.

    Raises:
        BundleError: a document of the bundle is unreadable.
        InputError: one of the files is unreadable, or of another bundle.
    """
    view = read_bundle_view(bundle)
    read = [_own_profile(path, view) for path in profiles]
    circuit = circuit_of(bundle.controller)
    page = (
        _environment()
        .get_template("report.html")
        .render(
            name=clean(bundle.controller.name),
            verdict=verdict(view, read),
            warnings=warnings(read),
            good=view.is_verified and not any(entry.status == "failed" for entry in view.formats),
            facts=facts(view),
            circuit=circuit,
            wiring=_inline(wiring_svg(circuit)),
            verified=view.is_verified,
            task_note=view.task_note,
            verification=verification_table(view),
            reasons=reasons(view),
            sizes=size_table(view),
            firmware=firmware_table(view, read),
            rates=[rates_view(path, view) for path in rates],
            profiles=[profile_view(profile) for profile in read],
            version=__version__,
        )
    )
    return page.encode()


def _own_profile(path: Path, view: BundleView) -> Profile:
    profile = read_profile(path)
    if profile.sha256 != view.sha256:
        raise InputError(
            f"{path}: is a profile of something else, not of {view.bundle.path}; profile this bundle"
        )
    return profile


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ltc_edge.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["inline"] = _inline
    return environment


def _inline(svg: str | None) -> Markup | None:
    """A drawing of ours, whose names are escaped already."""
    return None if svg is None else Markup(svg)
