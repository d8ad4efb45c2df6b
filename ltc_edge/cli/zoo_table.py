"""What ``ltc-edge zoo list`` prints: a table for each task."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich import box
from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.zoo.entry import FORMAT, TARGET, Entry
from ltc_edge.zoo.page import MARK, row, yardstick

HEADINGS = ("", "params", "{metric} (95 %)", "corr.", "err. %", "flash", "RAM", "instr.")
"""As many as fit a terminal of 80 columns; the page has more."""

_SHOWN = (0, 2, 3, 5, 6, 7, 8, 9)
"""The cells of a row of the page that stand under them."""

_DIGITS = 4


def print_entries(entries: Sequence[Entry]) -> None:
    """The tables, and what their columns are."""
    out = console()
    for task, of_task in groupby(entries, key=lambda entry: entry.task):
        shown = list(of_task)
        title = f"{task}: {yardstick(shown[0])}"
        table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE, padding=0)
        for index, heading in enumerate(HEADINGS):
            table.add_column(heading.format(metric=shown[0].metric), justify="right" if index else "left")
        for entry in shown:
            cells = row(entry, _DIGITS)
            table.add_row(*(cells[index] for index in _SHOWN))
        out.print(table)
    others = sorted({entry.format for entry in entries} - {FORMAT})
    marked = f"{MARK} has no {FORMAT}, which was refused: its figures are of {', '.join(others)}.\n"
    out.print(
        f"A name is TASK-CELL-SIZE. Figures are of {FORMAT}: err. is its RMS error in a free run, of σ;\n"
        f"flash and RAM are bytes, instr. the instructions of a step on {TARGET}, counted in an emulator.\n"
        "corr. is the mean area under severity curves, 1 being the uncorrupted expert.\n"
        f"{marked if others else ''}`ltc-edge zoo show NAME` has the rest."
    )
