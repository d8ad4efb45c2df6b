"""What a profile was held against: budgets, and an earlier profile."""

from __future__ import annotations

from ltc_edge.profiling.budgets import BUDGETS
from ltc_edge.report.profile import Profile
from ltc_edge.report.tables import FORMAT, Cell, Column, Row, Table, columns_of, table
from ltc_edge.report.wording import MISSING, significant


def budgets(profile: Profile) -> Table | None:
    """Each budget with each format, and by how much it is broken."""
    rows: list[Row] = []
    limits = significant([budget.limit for budget in profile.budgets])
    values = significant([budget.value for budget in profile.budgets])
    overs = significant([None if budget.kept else budget.over for budget in profile.budgets])
    for i, budget in enumerate(profile.budgets):
        unknown = budget.kept is None or budget.value is None
        said = "not measured" if unknown else "kept" if budget.kept else "broken"
        result = Cell(said, "bad" if unknown else "good" if budget.kept else "bad")
        what = BUDGETS[budget.budget].what if budget.budget in BUDGETS else budget.budget
        rows.append((what, budget.format or MISSING, limits[i], values[i], overs[i], result))
    columns = [Column("Budget", numeric=False), FORMAT, Column("Limit"), Column("Value"), Column("Over by")]
    return table("Budgets", [*columns, Column("Result", numeric=False)], rows)


def baseline(profile: Profile) -> Table | None:
    """Each format against an earlier profile."""
    ratios = columns_of(
        [c.ratio for c in profile.baseline],
        [c.low for c in profile.baseline],
        [c.high for c in profile.baseline],
        digits=4,
        most=3,
    )
    rows: list[Row] = []
    for i, comparison in enumerate(profile.baseline):
        worse = comparison.regression
        said = MISSING if worse is None else "regression" if worse else "no regression"
        interval = MISSING if comparison.low is None else f"{ratios[1][i]} to {ratios[2][i]}"
        result = Cell(said, "" if worse is None else "bad" if worse else "good")
        rows.append((comparison.format, comparison.of or MISSING, ratios[0][i], interval, result))
    columns = [
        FORMAT,
        Column("Of", numeric=False),
        Column("Ratio", "now / then"),
        Column("99 % interval"),
        Column("Result", numeric=False),
    ]
    notes = [f"Compared with {profile.baseline_file}."] if profile.baseline_file else []
    return table("Against the baseline", columns, rows, notes)
