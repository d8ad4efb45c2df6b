"""What a call in an emulated processor executed: blocks of instructions, branches, and data accesses."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Container, Mapping
from dataclasses import dataclass

from ltc_edge.targets import InstructionClass

Block = tuple[int, int]
"""Address and size of a run of instructions that is left at its end alone."""


@dataclass(frozen=True)
class Execution:
    """What one call executed.

    Attributes:
        instructions: how many.
        stages: of these, by part of a controller's step; empty where that is not known.
        classes: of these, by class, with ``taken_branch`` and ``transfer``; empty where there is no model.
        loads, stores: accesses of data, one for each register that is moved.
        bytes_read, bytes_written: by them.
    """

    instructions: int
    stages: Mapping[str, int]
    classes: Mapping[InstructionClass, int]
    loads: int
    stores: int
    bytes_read: int
    bytes_written: int


class Trace:
    """Counts that an emulator's hooks make.

    Args:
        inside: addresses of functions that are asked about one by one: what they call is counted apart by
            the block that called it.

    Attributes:
        blocks: how often each block was executed, and the last block ``inside`` before it, or its own.
        taken: blocks that were not the next in memory.
        loads, stores, bytes_read, bytes_written: accesses of data.
    """

    def __init__(self, inside: Container[int] = ()) -> None:
        self._inside = inside
        self.blocks: dict[tuple[Block, Block | None], int] = defaultdict(int)
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.blocks.clear()
        self._caller: Block | None = None
        self._end: int | None = None
        self.taken = self.loads = self.stores = self.bytes_read = self.bytes_written = 0

    def on_block(self, _: object, address: int, size: int, __: object) -> None:
        """A hook of blocks."""
        if address != self._end:
            self.taken += self._end is not None
        self._end = address + size
        block = address, size
        if address in self._inside:
            self._caller = block
        self.blocks[block, self._caller] += 1

    def on_read(self, _: object, __: int, ___: int, size: int, ____: int, _____: object) -> None:
        """A hook of data that is read."""
        self.loads += 1
        self.bytes_read += size

    def on_write(self, _: object, __: int, ___: int, size: int, ____: int, _____: object) -> None:
        """A hook of data that is written."""
        self.stores += 1
        self.bytes_written += size

    def instructions(self, starts: Mapping[Block, tuple[int, ...]]) -> int:
        """Instructions executed; ``starts`` has the addresses of those in every block."""
        return sum(count * len(starts[block]) for (block, _), count in self.blocks.items())

    def stages(self, starts: Mapping[Block, tuple[int, ...]], stage_at: Mapping[int, str]) -> dict[str, int]:
        """Instructions by stage: ``stage_at`` has that of every address ``inside``.

        What is called belongs to the stage of the call; what runs before the first block ``inside`` to none.
        """
        found: Counter[str] = Counter()
        for (block, caller), count in self.blocks.items():
            if caller is None:
                continue
            if block == caller:
                for address in starts[block]:
                    found[stage_at[address]] += count
            else:
                found[stage_at[starts[caller][-1]]] += count * len(starts[block])
        return dict(found)
