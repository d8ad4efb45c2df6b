"""Files and options to a data set: what ``ltc-edge train --data`` does before it trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from ltc_edge.errors import RecordingError
from ltc_edge.logs.assembly import Cut, assemble
from ltc_edge.logs.columns import select_columns
from ltc_edge.logs.dataset import KINDS, Dataset, Kind, SplitName
from ltc_edge.logs.reading import column_names, find_files, read_recording
from ltc_edge.logs.recording import Recording
from ltc_edge.logs.segments import Signals
from ltc_edge.logs.splits import HELD_OUT_SHARE, Blocks, hold_out, whole

Patterns = str | Path | Sequence[str | Path]
"""Paths or glob patterns of recordings: one, or several."""

DEFAULT_WINDOW_LENGTH = 32
"""Rows of a window where none is asked for: the length used by the published LTC experiments on rollouts."""


def load_dataset(
    train: Patterns,
    inputs: str | Sequence[str],
    targets: str | Sequence[str],
    *,
    time: str | None = None,
    kind: Kind | None = None,
    validation: Patterns = (),
    test: Patterns = (),
    window_length: int = DEFAULT_WINDOW_LENGTH,
    stride: int | None = None,
    evaluation_stride: int | None = None,
    gap: int | None = None,
    period_s: float | None = None,
) -> Dataset:
    """Read recordings and make them ready for training.

    Where ``validation`` or ``test`` is not given, it is held out of ``train``: the last files of three or
    more, otherwise the last rows of each file, with a gap before them.

    Args:
        train: paths or glob patterns.
        inputs, targets: column names, comma-separated or a sequence; ``a:b`` is a range, both ends included.
        time: column of the time; bags need none.
        kind: what the targets are; None means prediction where a target is also an input, else regression.
        validation, test: paths or glob patterns of those splits.
        window_length: rows of a window.
        stride: rows between training windows; None takes half a window.
        evaluation_stride: rows between scored windows; None takes a window, so that each row counts once.
        gap: rows left out between the blocks of one file; None takes a window.
        period_s: seconds between rows of files without time.

    Raises:
        RecordingError: anything about the files or options that cannot be used, in one line.
        MissingExtraError: the format needs the ``logs`` extra.
    """
    cut = _cut(window_length, stride, evaluation_stride)
    gap = window_length if gap is None else gap
    _check_options(kind, gap, period_s, time)
    files = {"train": find_files(_as_patterns(train), "--data")}
    for name, patterns in (("validation", _as_patterns(validation)), ("test", _as_patterns(test))):
        if patterns:
            files[name] = find_files(patterns, f"--{name}")
    _check_disjoint(files)
    signals = _signals(files["train"][0], inputs, targets, kind)
    recordings = {name: _read_all(paths, signals, time) for name, paths in files.items()}
    if period_s is not None and any(one.time_s is not None for group in recordings.values() for one in group):
        raise RecordingError("the recordings carry their own time: leave the period out.")
    return assemble(_split(recordings, gap), signals, cut, period_s)


def choose_kind(kind: Kind | None, inputs: Sequence[str], targets: Sequence[str]) -> Kind:
    """The kind asked for, or the one the columns suggest.

    Raises:
        RecordingError: regression or classification of a column that is also an input; several label columns.
    """
    shared = [name for name in targets if name in inputs]
    if kind is None:
        return "prediction" if shared else "regression"
    if shared and kind != "prediction":
        raise RecordingError(
            f"column {shared[0]!r} is both input and target: a {kind} would copy it. "
            f"Remove it from the inputs, or choose prediction, whose target is the next row."
        )
    if kind == "classification" and len(targets) != 1:
        raise RecordingError(f"classification takes one label column, not {len(targets)}. Name one target.")
    return kind


def _cut(window_length: int, stride: int | None, evaluation_stride: int | None) -> Cut:
    """The windows asked for, with the defaults filled in."""
    stride = max(1, window_length // 2) if stride is None else stride
    evaluation_stride = window_length if evaluation_stride is None else evaluation_stride
    if min(window_length, stride, evaluation_stride) < 1:
        raise RecordingError(
            f"window length {window_length} and strides {stride} and {evaluation_stride} must be at least 1."
        )
    return Cut(window_length, stride, evaluation_stride)


def _check_options(kind: str | None, gap: int, period_s: float | None, time: str | None) -> None:
    if kind is not None and kind not in KINDS:
        raise RecordingError(f"{kind!r} is not a kind of target. Choose one of {', '.join(KINDS)}.")
    if gap < 0:
        raise RecordingError(f"a gap of {gap} rows between blocks is impossible. Give 0 or more.")
    if period_s is not None and not (math.isfinite(period_s) and period_s > 0):
        raise RecordingError(f"a period of {period_s} s is impossible. Give a positive number of seconds.")
    if period_s is not None and time is not None:
        raise RecordingError("both a time column and a period are given. Leave one out.")


def _as_patterns(patterns: Patterns) -> list[str]:
    return [str(patterns)] if isinstance(patterns, str | Path) else [str(pattern) for pattern in patterns]


def _check_disjoint(files: dict[str, tuple[Path, ...]]) -> None:
    """Raise where a file would be in two splits."""
    owner: dict[Path, str] = {}
    for name, paths in files.items():
        for path in paths:
            first = owner.setdefault(path.resolve(), name)
            if first != name:
                raise RecordingError(
                    f"{path}: is matched for both {first} and {name}. "
                    f"A file belongs to one split: narrow the patterns."
                )


def _signals(
    first: Path, inputs: str | Sequence[str], targets: str | Sequence[str], kind: Kind | None
) -> Signals:
    """Resolve the columns on the first training file; the other files must have the same names."""
    available = column_names(first)
    input_names = select_columns(inputs, available, str(first))
    target_names = select_columns(targets, available, str(first))
    return Signals(input_names, target_names, choose_kind(kind, input_names, target_names))


def _read_all(paths: Sequence[Path], signals: Signals, time: str | None) -> list[Recording]:
    columns = tuple(dict.fromkeys([*signals.inputs, *signals.targets]))
    return [read_recording(path, columns, time) for path in paths]


def _split(recordings: dict[str, list[Recording]], gap: int) -> Blocks:
    """Blocks of the three splits; those without files of their own are held out of training."""
    missing: list[SplitName] = [name for name in ("validation", "test") if name not in recordings]
    blocks = hold_out(recordings["train"], dict.fromkeys(missing, HELD_OUT_SHARE), gap)
    for name in ("validation", "test"):
        if name in recordings:
            blocks[name] = whole(recordings[name])
    return blocks
