"""Reading a target from its description in TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from ltc_edge.errors import InputError
from ltc_edge.targets.target import ARCHITECTURES, CLASSES, CycleModel, Qemu, Target, Tool

T = TypeVar("T")
COMPILERS = ("gcc", "clang")
MAX_BYTES = 1 << 16
_WORDS = {str: "text", bool: "true or false", int: "a whole number", dict: "a table"}


def read_target(path: Path) -> Target:
    """The target that a file describes, called what the file is called.

    Raises:
        InputError: the file cannot be read, or does not describe a target.
    """
    table = Table(str(path), read_table(path))
    target = _target(path.stem, table)
    table.end()
    return target


def read_table(path: Path, most_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """What a description says.

    Args:
        path: of its file.
        most_bytes: that such a file may have.

    Raises:
        InputError: the file cannot be read, is too large, or no TOML.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InputError(f"{path}: cannot be read (not a file)")
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:  # a NUL in the path, which may be of a URL
        raise InputError(f"{path}: cannot be read ({error})") from None
    if len(content) > most_bytes:
        raise InputError(f"{path}: is larger than any description (over {most_bytes >> 10} KiB)")
    try:
        return tomllib.loads(content.decode())
    except RecursionError:
        raise InputError(f"{path}: not TOML (nested too deep)") from None
    except ValueError as error:
        raise InputError(f"{path}: not TOML ({error})") from None


class Table:
    """A table of a description, read key by key; what nobody read is an error."""

    def __init__(self, where: str, values: Mapping[str, Any]) -> None:
        self.where, self._left = where, dict(values)

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def take(self, key: str, kind: type[T]) -> T:
        """The value of a key that must be there, of this type."""
        value = self._left.pop(key, None)
        # A bool is an int to Python, not to whoever wrote the file.
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise InputError(f"{self.where}: {key} must be {_WORDS[kind]}, not {value!r}")
        if kind is str and not value:
            raise InputError(f"{self.where}: {key} must not be empty")
        return value

    def size(self, key: str) -> int | None:
        """A number of bytes, or None where there is none."""
        if key not in self:
            return None
        value = self.take(key, int)
        if value <= 0:
            raise InputError(f"{self.where}: {key} must be above 0, not {value}")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self._left.pop(key, None)
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise InputError(f"{self.where}: {key} must be a list of texts, not {value!r}")
        return tuple(value)

    def table(self, key: str) -> Table:
        """A table within."""
        return Table(f"{self.where}: {key}", self.take(key, dict))

    def end(self) -> None:
        """Refuse what nobody read."""
        if self._left:
            raise InputError(f"{self.where}: {min(self._left)} means nothing here; remove it")


def _target(name: str, table: Table) -> Target:
    architecture = table.take("architecture", str)
    known = [a for a in ARCHITECTURES if a == architecture]
    if not known:
        raise InputError(
            f"{table.where}: architecture {architecture!r} is none of {', '.join(ARCHITECTURES)}"
        )
    emulator = table.table("emulator")
    target = Target(
        name=name,
        summary=table.take("summary", str),
        architecture=known[0],
        fpu=table.take("fpu", bool),
        compilers=_compilers(table.table("compilers")),
        emulator_cpu=emulator.take("cpu", str),
        part=table.take("part", str) if "part" in table else None,
        flash_bytes=table.size("flash_bytes"),
        ram_bytes=table.size("ram_bytes"),
        qemu=_qemu(table.table("qemu")) if "qemu" in table else None,
        cycles=_cycles(table.table("cycles")) if "cycles" in table else None,
    )
    emulator.end()
    return target


def _compilers(table: Table) -> dict[str, Tool]:
    # gcc must be there: it links what any compiler compiled.
    compilers = {name: _tool(table.table(name)) for name in COMPILERS if name == "gcc" or name in table}
    table.end()
    return compilers


def _tool(table: Table, flags: str = "flags") -> Tool:
    tool = Tool(table.take("command", str), table.words(flags), table.take("package", str))
    if flags == "flags":
        table.end()
    return tool


def _qemu(table: Table) -> Qemu:
    tool = _tool(table, "arguments")
    qemu = Qemu(tool, table.words("link_flags"), table.take("link_package", str))
    table.end()
    return qemu


def _cycles(table: Table) -> CycleModel:
    costs = table.table("costs")
    model = CycleModel(
        table.take("name", str),
        table.take("source", str),
        {kind: _cost(costs, kind) for kind in CLASSES if kind == "other" or kind in costs},
    )
    costs.end()
    table.end()
    return model


def _cost(costs: Table, kind: str) -> int:
    cost = costs.take(kind, int)
    if cost < 0:
        raise InputError(f"{costs.where}: {kind} must not be negative, is {cost}")
    return cost
