"""What ``ltc-edge sweep`` prints: the front as a table, what to ship and why, what became of the rest."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from ltc_edge.cli.output import console, one_line
from ltc_edge.sweep.figure_text import reach_text, value_text
from ltc_edge.sweep.front import Figure, TrialResult
from ltc_edge.sweep.next_commands import next_commands
from ltc_edge.sweep.objectives import Objective
from ltc_edge.sweep.pick import why_none
from ltc_edge.sweep.pick_reason import which_seed
from ltc_edge.sweep.settings_text import common_settings, settings_text
from ltc_edge.sweep.swept import Swept
from ltc_edge.sweep.tally import tally

SHOWN = 20
"""Rows of the table; all of the front is in the files."""

PICKED, DOUBTED = "★", "?"


def print_front(swept: Swept, folder: Path) -> None:
    """The front, the recommendation, and counts.

    Args:
        swept: the sweep.
        folder: of the sweep, as people name it.
    """
    if swept.front:
        _print_table(swept)
    for line in tally(swept.results).words:
        click.echo(one_line(line))
    print_pick(swept, folder)


def print_pick(swept: Swept, folder: Path) -> None:
    """What to ship, why, and the command that exports it; or why there is nothing."""
    picked, result = swept.pick, swept.picked
    if picked is None or result is None:
        click.echo(one_line(f"Nothing to recommend: {why_none(swept.results)}."))
        return
    click.echo(one_line(f"{PICKED} Trial {picked.trial}: {picked.reason}."))
    click.echo(which_seed(picked.seed, len(result.seeds)))
    click.echo(f"Next: {one_line(next_commands(folder, result, swept.target)['export'])}")


def _print_table(swept: Swept) -> None:
    shown = _shown(swept)
    where = f" on {swept.target}" if swept.target else ""
    title = f"{swept.task}{where}: {len(swept.front)} of {len(swept.results)} trials are on the front"
    table = Table(title=one_line(title), title_justify="left")
    table.add_column("", no_wrap=True)
    table.add_column("trial", justify="right", no_wrap=True)
    table.add_column("controller")
    for goal in swept.goals:
        table.add_column(_heading(goal), justify="right")
    doubted = {doubt.trial for doubt in swept.doubts}
    common = common_settings(swept.front)
    for result in shown:
        is_picked = swept.pick is not None and swept.pick.trial == result.number
        mark = (PICKED if is_picked else "") + (DOUBTED if result.number in doubted else "")
        figures = [_cell(result.figures[goal.name]) for goal in swept.goals]
        # Text, not markup: names are users' own.
        cells = [mark, str(result.number), settings_text(result.settings, without=common), *figures]
        table.add_row(*map(Text, cells), style="bold" if is_picked else None)
    # The table is broken to the terminal's width, where `console` leaves lines as long as they are.
    console().print(table, soft_wrap=False)
    if len(shown) < len(swept.front):
        click.echo(f"{len(swept.front) - len(shown)} more are in front.csv and front.html.")
    if common:
        click.echo(f"All of them: {settings_text(common)}.")
    if any(figure.n > 1 for result in shown for figure in result.figures.values()):
        click.echo("Means over seeds, ± Student's 95 % intervals of them.")
    if doubted:
        click.echo(
            f"{DOUBTED} another of the front may beat it: where it is ahead of that, it may be by chance."
        )


def _shown(swept: Swept) -> list[TrialResult]:
    """The first rows, and whatever is recommended."""
    if len(swept.front) <= SHOWN:
        return list(swept.front)
    # Spread over the front, its ends included: neighbours differ least.
    last = len(swept.front) - 1
    places = {round(index * last / (SHOWN - 1)) for index in range(SHOWN)}
    picked = swept.pick.trial if swept.pick is not None else None
    return [result for place, result in enumerate(swept.front) if place in places or result.number == picked]


def _heading(goal: Objective) -> str:
    arrow = "↑" if goal.maximised else "↓"
    return f"{goal.name} {arrow}" + (f"\n{goal.unit}" if goal.unit else "")


def _cell(figure: Figure) -> str:
    reach = reach_text(figure)
    return f"{value_text(figure.mean)}\n± {reach}" if reach else value_text(figure.mean)
