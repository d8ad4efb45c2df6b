"""Tables as data: what stands in them is made here, how they look is the templates' business."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from ltc_edge.report.wording import MISSING, aligned

Tone = Literal["", "good", "bad", "muted"]


@dataclass(frozen=True)
class Cell:
    """What stands in a cell; ``share`` is the length of a bar behind it, of the longest, or None."""

    text: str
    tone: Tone = ""
    share: float | None = None
    parts: tuple[tuple[str, float], ...] = ()
    """Of a stacked bar: name and share of each."""


@dataclass(frozen=True)
class Column:
    """A column's heading and unit, and what it shares with its neighbours; numbers are set to the right."""

    heading: str
    unit: str = ""
    numeric: bool = True
    group: str = ""


@dataclass(frozen=True)
class Table:
    """A table; the first cell of a row names it. ``notes`` are sentences below."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def groups(self) -> list[tuple[str, int]]:
        """The groups of the columns and how many each spans; none where no column is in one."""
        spans = [(name, len(list(columns))) for name, columns in groupby(c.group for c in self.columns)]
        return spans if any(name for name, _ in spans) else []


Row = Sequence[Cell | str]
"""A text is a cell without anything else."""

FORMAT = Column("Format", numeric=False)


def table(
    caption: str, columns: Sequence[Column], rows: Sequence[Row], notes: Sequence[str] = ()
) -> Table | None:
    """A table without the columns that have nothing in any row; None where no row or figure is left."""
    cells = [[_as_cell(cell) for cell in row] for row in rows]
    kept = [
        place
        for place in range(len(columns))
        if place == 0 or any(row[place].text != MISSING for row in cells)
    ]
    if not cells or len(kept) < 2:
        return None
    return Table(
        caption,
        tuple(columns[place] for place in kept),
        tuple(tuple(row[place] for place in kept) for row in cells),
        tuple(notes),
    )


def _as_cell(cell: Cell | str) -> Cell:
    whole = cell if isinstance(cell, Cell) else Cell(cell)
    return Cell(MISSING, "muted") if whole.text == MISSING and not whole.parts else whole


def columns_of(*numbers: Sequence[float | None], digits: int = 3, most: int = 3) -> list[list[str]]:
    """Several columns of the same quantity, with equally many decimals in all of them; see `aligned`."""
    flat = aligned([value for column in numbers for value in column], digits, most)
    size = len(numbers[0]) if numbers else 0
    return (
        [flat[start : start + size] for start in range(0, len(flat), size)] if size else [[] for _ in numbers]
    )
