"""Which columns a user means: names, comma-separated lists, ranges."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from ltc_edge.errors import RecordingError

_LISTED_COLUMNS = 20


def select_columns(wanted: str | Sequence[str], available: Sequence[str], source: str) -> tuple[str, ...]:
    """Resolve a choice of columns against those a recording has.

    ``"a,b"`` names two columns; ``"c0:c16"`` names a range in the file's order, **both ends included**. A
    token that is itself a column name is taken literally, colon or not. A sequence holds one token an item.

    Args:
        wanted: the choice, as text or as a sequence of tokens.
        available: column names in the file's order.
        source: the file, for messages.

    Raises:
        RecordingError: nothing chosen, a name that is missing or chosen twice, a range that runs backwards.
    """
    tokens = wanted.split(",") if isinstance(wanted, str) else list(wanted)
    tokens = [token.strip() for token in tokens if token.strip()]
    if not tokens:
        raise RecordingError(f"{source}: no column was chosen. {_listing(available, source)}")
    chosen = tuple(name for token in tokens for name in _expand(token, available, source))
    check_choice(chosen, source)
    return chosen


def check_choice(names: Sequence[str], source: str) -> None:
    """Raise ``RecordingError`` where nothing is chosen, or one column twice."""
    if not names:
        raise RecordingError(f"{source}: no column was chosen. Name one at least.")
    repeated = _repeated(names)
    if repeated:
        raise RecordingError(f"{source}: column {repeated[0]!r} is chosen twice. Name each column once.")


def check_columns(names: Sequence[str], available: Sequence[str], source: str) -> None:
    """Raise ``RecordingError`` for the first of ``names`` that is not ``available``, with the nearest."""
    known = set(available)
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, available, n=1, cutoff=0.5)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise RecordingError(f"{source}: has no column {name!r}.{hint} {_listing(available, source)}")


def check_unique(names: Sequence[str], source: str) -> None:
    """Raise ``RecordingError`` where two columns of a file share one name."""
    repeated = _repeated(names)
    if repeated:
        raise RecordingError(f"{source}: two columns are called {repeated[0]!r}. Rename one of them.")


def _repeated(names: Sequence[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _expand(token: str, available: Sequence[str], source: str) -> list[str]:
    """The columns one token stands for."""
    first, colon, last = token.partition(":")
    if token in available or not colon:
        check_columns([token], available, source)
        return [token]
    first, last = first.strip(), last.strip()
    check_columns([first, last], available, source)
    start, stop = available.index(first), available.index(last)
    if stop < start:
        raise RecordingError(f"{source}: the range {token!r} runs backwards. Write it as {last}:{first}.")
    return list(available[start : stop + 1])


def _listing(available: Sequence[str], source: str) -> str:
    """The columns there are, cut short where there are many."""
    if not available:
        return f"{source} has no numeric column."
    more = f" and {len(available) - _LISTED_COLUMNS} more" if len(available) > _LISTED_COLUMNS else ""
    return f"Columns: {', '.join(available[:_LISTED_COLUMNS])}{more}."
