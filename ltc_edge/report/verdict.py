"""The report in a few sentences: what is verified, what to ship, and what must not be missed."""

from __future__ import annotations

from collections.abc import Sequence

from ltc_edge.report.bundle_view import BundleView
from ltc_edge.report.profile import Profile
from ltc_edge.report.wording import listed


def verdict(view: BundleView, profiles: Sequence[Profile]) -> str:
    """One sentence or two: which formats do the controller's job, and which one to ship."""
    by_status: dict[str, list[str]] = {}
    for entry in view.formats:
        by_status.setdefault(entry.status, []).append(entry.name)
    good, total = by_status.get("ok", []), len(view.formats)
    if not view.is_verified:
        said = "Nothing in this bundle was verified: it was exported with --no-verify."
    elif not good:
        said = "No format of this bundle is verified."
    else:
        against = f", on the task {view.source}" if view.source and view.task_note is None else ""
        who = f"All {total} formats are" if len(good) == total else f"{len(good)} of {total} formats are"
        if total == 1:
            who = f"{good[0]} is"
        said = f"{who} verified against the trained controller{against}."
        if view.task_note is not None:
            said += " The task itself was not tried, so nothing here says that the controller does its job."
    for status, words in (("refused", "refused"), ("failed", "failing"), ("not-run", "not run here")):
        if view.is_verified and by_status.get(status):
            names = by_status[status]
            said += f" {listed(names)} {'is' if len(names) == 1 else 'are'} {words}."
    for profile in profiles:
        if profile.recommended is not None and profile.valid:
            said += f" For {profile.target}, {profile.recommended} is recommended."
    return said


def warnings(profiles: Sequence[Profile]) -> list[str]:
    """What in the profiles a reader must not miss, a sentence each."""
    found = []
    for profile in profiles:
        where = profile.target
        if not profile.valid:
            found.append(f"The figures of {where} are invalid.")
        if profile.partial:
            found.append(f"The profile of {where} was interrupted.")
        broken = [f"{b.budget} by {b.format}" for b in profile.budgets if b.kept is False]
        if broken:
            found.append(f"Budgets broken on {where}: {listed(broken)}.")
        slower = [comparison.format for comparison in profile.baseline if comparison.regression]
        if slower:
            found.append(f"Slower than the baseline on {where}: {listed(slower)}.")
    return found
