"""The named tasks over drawn sequences."""

from __future__ import annotations

from ltc_edge.logs.bit_streams import first_bit, irregular_parity, parity
from ltc_edge.logs.sequence_task import SequenceTask

_PAPER = "Lechner and Hasani, arXiv 2006.04418"

SEQUENCE_TASKS: dict[str, SequenceTask] = {
    task.name: task
    for task in (
        SequenceTask(
            name="irregular-xor",
            summary="tell the XOR of up to 31 bits, of which only changes and the time between them are seen",
            generate=irregular_parity,
            rows=32,
            train=100_000,
            validation=2_000,
            test=10_000,
            source=_PAPER,
        ),
        SequenceTask(
            name="dense-xor",
            summary="tell the XOR of up to 31 bits, one a row",
            generate=parity,
            rows=32,
            train=100_000,
            validation=2_000,
            test=10_000,
            source=_PAPER,
        ),
        SequenceTask(
            name="copy-first-bit",
            summary="after 20 random bits, tell the first",
            generate=first_bit,
            rows=20,
            train=20_000,
            validation=2_000,
            test=10_000,
            source="after Hochreiter and Schmidhuber, Neural Computation 9 (1997)",
        ),
    )
}
"""Every named task over drawn sequences."""
