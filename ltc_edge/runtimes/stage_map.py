"""Which part of a controller each instruction of its step is for, from the debug information of a program.

A compiler tells the line that an instruction comes of, and, for one of a function that it put in the place
of a call, the line of that call. The line of the generated source tells the part.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from ltc_edge.errors import require
from ltc_edge.export.c.stages import OTHER

Span = tuple[int, int]


def stage_map(elf: bytes, file: str, functions: Collection[str], lines: Mapping[int, str]) -> dict[int, str]:
    """The part of a step by address, for every even address in ``functions``.

    Args:
        elf: a program that was compiled with ``-g``.
        file: the source of the functions.
        functions: their names.
        lines: the part of a step that each line of the source is for, from 1.

    Raises:
        MissingExtraError: pyelftools is not installed.
    """
    dwarf = require("elftools.elf.elffile", "firmware").ELFFile(io.BytesIO(elf)).get_dwarf_info()
    unit = next(unit for unit in dwarf.iter_CUs() if Path(_name(unit.get_top_DIE())).name == file)
    ranges = dwarf.range_lists()
    found: dict[int, str] = {}
    calls: list[tuple[int, Any]] = []
    for die in unit.iter_DIEs():
        if die.tag == "DW_TAG_subprogram" and _origin_name(die) in functions:
            for low, high in _spans(die, unit, ranges):
                found |= dict.fromkeys(range(low, high, 2), OTHER)
                calls += _inlined(die, 1)
    staged: dict[int, str] = {}
    for low, high, line in _rows(dwarf, unit, file):
        if line in lines:
            staged |= dict.fromkeys(range(low, high, 2), lines[line])
    # The innermost call that stands in a line of the step decides.
    for _, die in sorted(calls, key=lambda call: -call[0]):
        line = _value(die, "DW_AT_call_line")
        for low, high in _spans(die, unit, ranges):
            for address in range(low, high, 2):
                if address not in staged and line in lines:
                    staged[address] = lines[line]
    return {address: staged.get(address, OTHER) for address in found}


def _inlined(die: Any, depth: int) -> Iterator[tuple[int, Any]]:
    """The functions that were put in the place of calls within a function, and how deep each lies."""
    for child in die.iter_children():
        inner = depth
        if child.tag == "DW_TAG_inlined_subroutine":
            inner += 1
            yield inner, child
        yield from _inlined(child, inner)


def _spans(die: Any, unit: Any, ranges: Any) -> list[Span]:
    """Where the code of a function lies."""
    low = _value(die, "DW_AT_low_pc")
    high = die.attributes.get("DW_AT_high_pc")
    if high is not None:
        return [(low, high.value if high.form == "DW_FORM_addr" else low + high.value)]
    if "DW_AT_ranges" not in die.attributes:
        return []
    base = _value(unit.get_top_DIE(), "DW_AT_low_pc") or 0
    entries = ranges.get_range_list_at_offset(die.attributes["DW_AT_ranges"].value, unit)
    spans = []
    for entry in entries:
        if hasattr(entry, "base_address"):
            base = entry.base_address
        else:
            start = 0 if getattr(entry, "is_absolute", False) else base
            spans.append((start + entry.begin_offset, start + entry.end_offset))
    return spans


def _rows(dwarf: Any, unit: Any, file: str) -> Iterator[tuple[int, int, int]]:
    """First address, end and line of each run of instructions that comes of a line of ``file``."""
    program = dwarf.line_program_for_CU(unit)
    first = 0 if program["version"] >= 5 else 1
    names = [Path(entry.name.decode()).name for entry in program["file_entry"]]
    last: Any = None
    for entry in program.get_entries():
        state = entry.state
        if state is None:
            continue
        if last is not None and names[last.file - first] == file and last.address < state.address:
            yield last.address, state.address, last.line
        last = None if state.end_sequence else state


def _origin_name(die: Any) -> str:
    while "DW_AT_name" not in die.attributes and "DW_AT_abstract_origin" in die.attributes:
        die = die.get_DIE_from_attribute("DW_AT_abstract_origin")
    return _name(die)


def _name(die: Any) -> str:
    name = _value(die, "DW_AT_name")
    return name.decode() if isinstance(name, bytes) else ""


def _value(die: Any, attribute: str) -> Any:
    found = die.attributes.get(attribute)
    return None if found is None else found.value
