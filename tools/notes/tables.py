"""The comparison as tables in Markdown: figures by subject and cell, differences, promises."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from notes.contenders import OTHERS

Document = Mapping[str, Any]

NAMES = {"ltc": "LTC", "cfc": "CfC", "ctrnn": "CT-RNN", "lstm": "LSTM", "gru": "GRU"}
MARKS = {"holds": "better", "does not hold": "not better", "cannot be told": "?"}


def markdown(document: Document) -> str:
    """All tables."""
    parts = [_promises(document), _pooled(document)]
    parts += [_subject(name, found) for name, found in document["subjects"].items()]
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _promises(document: Document) -> Iterator[str]:
    rows = [(one["promise"], one["meaning"], f"**{one['verdict']}**") for one in document["promises"]]
    return _table(("promise", "what that would mean", "verdict"), rows)


def _pooled(document: Document) -> Iterator[str]:
    rows = [
        (name.replace("_", " "), *(_difference(found[other]) for other in OTHERS))
        for name, found in document["measures"].items()
    ]
    return _table(("LTC − other, all subjects", *(NAMES[other] for other in OTHERS)), rows)


def _subject(name: str, found: Document) -> Iterator[str]:
    cells = found["cells"]
    metric = next(iter(cells.values()))["own_units"]["metric"]
    headings = (
        "",
        "units",
        "parameters",
        "rounds",
        metric,
        "performance",
        "corruption",
        "kept",
        "out of distribution",
    )
    measures = ("performance", "corruption", "corruption_kept", "out_of_distribution")
    rows = [
        (
            NAMES[cell],
            str(own["units"]),
            _size(own),
            f"{own['rounds']:.3g}",
            _plain(own["own_units"]["value"], 4),
            *(_plain(own[measure], 3) for measure in measures),
            _bracket(own["lipschitz"]),
            _instructions(own["firmware"]),
        )
        for cell, own in cells.items()
    ]
    yield f"### {name}\n"
    yield from _table((*headings, "Lipschitz bracket", "instructions a step"), rows)
    differences = [
        (measure.replace("_", " "), *(_difference(own.get(other)) for other in OTHERS))
        for measure, own in found["differences"].items()
        if own
    ]
    yield ""
    yield from _table(("LTC − other", *(NAMES[other] for other in OTHERS)), differences)


def _table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |"
    yield "|" + "---|" * len(headings)
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _size(own: Document) -> str:
    effective, dense = own["parameters_effective"], own["parameters_dense"]
    return f"{effective:,}" if effective == dense else f"{effective:,} of {dense:,}"


def _bracket(found: Document | None) -> str:
    return "–" if found is None else f"{found['lower']:.3g} to {found['upper']:.3g}"


def _instructions(firmware: Document | None) -> str:
    if firmware is None or firmware["status"] != "ok":
        return "–" if firmware is None else f"– ({firmware['reason']})"
    return f"{firmware['instructions_per_step']:,}"


def _plain(found: Document | None, digits: int) -> str:
    if found is None:
        return "–"
    text = f"{found['mean']:.{digits}g}"
    return text if found["ci95"] is None else f"{text} ({_interval(found['ci95'], digits)})"


def _difference(found: Document | None) -> str:
    if found is None:
        return "–"
    if found["ci95"] is None:
        return f"{found['mean']:+.3f}"
    low, high = found["ci95"]
    return f"{found['mean']:+.3f} ({low:+.3f} to {high:+.3f}) {MARKS[found['verdict']]}"


def _interval(bounds: Sequence[float], digits: int) -> str:
    return " to ".join(f"{bound:.{digits}g}" for bound in bounds)
