"""One profile as the report shows it: tables, histograms, and what speaks against the figures."""

from __future__ import annotations

from dataclasses import dataclass

from ltc_edge.export.formats import FORMATS
from ltc_edge.report.budget_tables import baseline, budgets
from ltc_edge.report.histogram_drawing import histogram_svg
from ltc_edge.report.profile import Profile
from ltc_edge.report.profile_tables import emulated_counts, latencies, paced_runs, stages, throughput
from ltc_edge.report.reasons import Reason, shared_reasons
from ltc_edge.report.tables import Table


@dataclass(frozen=True)
class ProfileView:
    """What is shown of one profile, in this order."""

    profile: Profile
    tables: tuple[Table, ...]
    histogram: str | None
    after: tuple[Table, ...]
    missing: tuple[Reason, ...]

    @property
    def standing(self) -> str:
        """``valid``, ``partial`` or ``invalid``."""
        if not self.profile.valid:
            return "invalid"
        return "partial" if self.profile.partial else "valid"


def profile_view(profile: Profile) -> ProfileView:
    """What is shown of ``profile``."""
    place = {name: index for index, name in enumerate(FORMATS)}
    ordered = sorted(profile.formats, key=lambda figures: place.get(figures.name, len(place)))
    measured = [figures for figures in ordered if figures.status in ("ok", "failed")]
    first: list[Table | None]
    if profile.kind == "emulated":  # whatever an emulator says of time is no figure of the device
        first, svg = [emulated_counts(profile, measured)], None
        after = [stages(measured, "instructions"), budgets(profile), baseline(profile)]
    else:
        first = [latencies(profile, measured), throughput(measured)]
        svg = histogram_svg(measured, profile.target)
        after = [paced_runs(measured), stages(measured, "time"), budgets(profile), baseline(profile)]
    return ProfileView(
        profile,
        tuple(found for found in first if found is not None),
        svg,
        tuple(found for found in after if found is not None),
        tuple(shared_reasons((f.name, f.status, f.reason, f.detail) for f in ordered if f.status != "ok")),
    )
