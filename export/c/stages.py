"""Which part of a controller each line of a generated step belongs to.

The writers of C put a comment where the next part begins, named as the program names its stages. From the
text of a source alone it can be told later what a line, or a call that stands there, is for.
"""

from __future__ import annotations

import re

from ltc_edge.errors import InputError

OTHER = "other"
"""Guards, checksums, limits, the normaliser, and getting into and out of the step."""

STAGES = ("sensory", "unfolds", "cell", "memory", "readout", OTHER)
"""Parts of a step, in the order in which they run."""

STAGE_OF = {
    "ltc.sensory": "sensory",
    "ltc.output": "readout",
    "ltc": "unfolds",
    "cfc": "cell",
    "ctrnn": "cell",
    "lstm": "cell",
    "gru": "cell",
    "memory": "memory",
    "readout": "readout",
    "normalize": OTHER,
    "elapsed": OTHER,
    "limit": OTHER,
    "guard": OTHER,
}
"""The part that a stage of the program belongs to; one that is not listed belongs where its parent does."""

_COMMENT = re.compile(r"\s*/\* Stage: ([a-z0-9_.]+) \*/")
_SUBSTEP = re.compile(r"\.unfold_\d+")


def stage_of(stage: str) -> str:
    """The part of a step, one of `STAGES`, that a stage of a program belongs to.

    Raises:
        InputError: neither it nor what it is within is known.
    """
    known = stage
    while known not in STAGE_OF:
        known, dot, _ = known.rpartition(".")
        if not dot:
            raise InputError(f"the C has a stage {stage!r} that is not known here; upgrade ltc-edge")
    return STAGE_OF[known]


def stage_named_in(tensor: str) -> str | None:
    """The stage that a tensor's name begins with; None where it has none."""
    stage = tensor.rpartition(".")[0]
    return _SUBSTEP.sub("", stage) or None


def stage_comment(stage: str) -> str:
    """The comment that begins a stage."""
    return f"/* Stage: {stage} */"


def stage_lines(source: str) -> dict[int, str]:
    """The part of a step that each line of a source is for, numbered from 1; a line outside of it has none.

    Empty where the source has no comments that tell.
    """
    found: dict[int, str] = {}
    current: str | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        comment = _COMMENT.match(line)
        if comment:
            current = stage_of(comment[1])
        elif line == "}":
            current = None
        elif current is not None:
            found[number] = current
    return found
