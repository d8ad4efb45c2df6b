"""What ``ltc-edge zoo list`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from ltc_edge.cli.output import console
from ltc_edge.zoo.entry import FORMAT, TARGET, Entry
from ltc_edge.zoo.page import COLUMNS, page_row


def print_entries(entries: Sequence[Entry]) -> None:
    """A table of entries, as on the page."""
    table = Table(title="Controllers that come with the package", title_justify="left")
    for index, heading in enumerate(COLUMNS):
        table.add_column(heading, justify="left" if index == 0 else "right")
    for entry in entries:
        table.add_row(*(cell.strip("`") for cell in page_row(entry)))
    out = console()
    out.print(table)
    out.print(
        f"Figures are of {FORMAT}; flash and RAM in bytes and instructions a step on {TARGET}, counted in an "
        "emulator.\nCorruption: the mean area under severity curves, 1 being the uncorrupted expert."
    )
