"""Which rows train, which choose between models, which are kept for the last judgement.

Neighbouring rows of one recording are nearly the same, so rows drawn at random would leak the test set into
training. Splits are therefore whole files, or blocks of a file with a gap between them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ltc_edge.errors import RecordingError
from ltc_edge.logs.dataset import SPLIT_NAMES, SplitName
from ltc_edge.logs.recording import Recording

HELD_OUT_SHARE = 0.2
"""Share of the files, or of a file's rows, that each split but training takes where none is given."""

FEWEST_FILES_TO_SPLIT = 3
"""With fewer files each is cut into blocks instead."""


@dataclass(frozen=True)
class Block:
    """Rows ``start`` to ``stop`` (exclusive) of a recording."""

    recording: Recording
    start: int
    stop: int


Blocks = dict[SplitName, list[Block]]


def whole(recordings: Sequence[Recording]) -> list[Block]:
    """One block a recording, all its rows."""
    return [Block(recording, 0, recording.rows) for recording in recordings]


def hold_out(recordings: Sequence[Recording], shares: Mapping[SplitName, float], gap: int) -> Blocks:
    """Split recordings: by file where there are enough, else in blocks within each.

    Args:
        recordings: in the order of their names.
        shares: what validation and test take of the whole; a split that is absent takes nothing.
        gap: rows left out between blocks.

    Raises:
        RecordingError: a recording too short to be cut.
    """
    if not shares:
        return {"train": whole(recordings)}
    if len(recordings) >= FEWEST_FILES_TO_SPLIT:
        return _by_file(recordings, shares)
    blocks: Blocks = {}
    for recording in recordings:
        for name, block in cut_blocks(recording, shares, gap).items():
            blocks.setdefault(name, []).append(block)
    return blocks


def cut_blocks(recording: Recording, shares: Mapping[SplitName, float], gap: int) -> dict[SplitName, Block]:
    """Cut one recording into train | gap | validation | gap | test; the shares are of what the gaps leave.

    Raises:
        RecordingError: a block would have fewer than two rows.
    """
    names = [name for name in SPLIT_NAMES if name == "train" or name in shares]
    usable = recording.rows - gap * (len(names) - 1)
    sizes = {name: round(usable * share) for name, share in shares.items()}
    sizes["train"] = usable - sum(sizes.values())
    if min(sizes.values()) < 2:
        raise RecordingError(
            f"{recording.source}: {recording.rows} rows are too few to be cut into {', '.join(names)} with "
            f"gaps of {gap} rows. Give files for --validation and --test, shorten the window, or record more."
        )
    blocks: dict[SplitName, Block] = {}
    start = 0
    for name in names:
        blocks[name] = Block(recording, start, start + sizes[name])
        start += sizes[name] + gap
    return blocks


def _by_file(recordings: Sequence[Recording], shares: Mapping[SplitName, float]) -> Blocks:
    """The last files test, those before them validate, the rest train."""
    blocks: Blocks = {}
    rest = list(recordings)
    for name in reversed(SPLIT_NAMES):
        if name in shares:
            count = max(1, round(len(recordings) * shares[name]))
            blocks[name] = whole(rest[-count:])
            rest = rest[:-count]
    blocks["train"] = whole(rest)
    return blocks
