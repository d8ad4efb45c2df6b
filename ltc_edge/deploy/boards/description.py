"""Reading a board from its description in TOML."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ltc_edge.deploy.boards.board import Board, Call
from ltc_edge.errors import InputError
from ltc_edge.targets import find_target
from ltc_edge.targets.description import Table, read_table

BOARDS = (
    "microbit",
    "microbit-v2",
    "stm32f4",
    "raspberry-pi-pico",
    "arduino-uno",
    "mps2-an385",
    "mps2-an386",
    "mps2-an500",
    "riscv-virt",
)
"""Names of the boards that the package describes; those that are emulators' alone come last."""

FORMS = ("c-float32", "c-int16")


def find_board(name: str) -> Board:
    """The board of a name, or the one that a ``.toml`` file describes.

    Raises:
        InputError: there is no such board, or the file describes none.
    """
    if name in BOARDS:
        with resources.as_file(resources.files(__package__).joinpath(f"{name}.toml")) as path:
            return read_board(path)
    if name.endswith(".toml"):
        return read_board(Path(name))
    raise InputError(
        f"there is no board {name!r}; give one of {', '.join(BOARDS)}, or a .toml file that describes one"
    )


def read_board(path: Path) -> Board:
    """The board that a file describes, called what the file is called.

    Raises:
        InputError: the file cannot be read, or does not describe a board.
    """
    table = Table(str(path), read_table(path))
    board = _board(path.stem, table)
    table.end()
    if board.flash is None and board.emulator is None:
        raise InputError(f"{path}: has neither flash nor emulator; say what brings an image to the board")
    if board.target is not None:
        find_target(board.target)
    return board


def _board(name: str, table: Table) -> Board:
    compiler, serial = table.table("compiler"), table.table("serial")
    board = Board(
        name=name,
        title=table.take("title", str),
        processor=table.take("processor", str),
        target=table.take("target", str) if "target" in table else None,
        flash_bytes=_size(table, "flash_bytes"),
        ram_bytes=_size(table, "ram_bytes"),
        form=_one_of(table, "format", FORMS),
        folder=_folder(table),
        make=table.words("make") if "make" in table else (),
        compiler=compiler.take("command", str),
        compiler_package=compiler.take("package", str),
        makes_uf2=table.take("uf2", bool) if "uf2" in table else False,
        baud=serial.take("baud", int),
        serial=serial.take("where", str),
        tried=table.take("tried", str),
        flash=_call(table.table("flash")) if "flash" in table else None,
        by_hand=table.take("by_hand", str) if "by_hand" in table else None,
        emulator=_call(table.table("emulator")) if "emulator" in table else None,
    )
    compiler.end()
    serial.end()
    return board


def _call(table: Table) -> Call:
    call = Call(table.take("command", str), table.words("arguments"), table.take("package", str))
    table.end()
    return call


def _size(table: Table, key: str) -> int:
    size = table.size(key)
    if size is None:
        raise InputError(f"{table.where}: {key} is missing")
    return size


def _one_of(table: Table, key: str, known: tuple[str, ...]) -> str:
    value = table.take(key, str)
    if value not in known:
        raise InputError(f"{table.where}: {key} {value!r} is none of {', '.join(known)}")
    return value


def _folder(table: Table) -> str:
    """A plain name: a description may be anybody's, and its folder is copied."""
    folder = table.take("folder", str)
    if Path(folder).name != folder or folder.startswith("."):
        raise InputError(f"{table.where}: folder {folder!r} is no folder of firmware_examples")
    return folder
