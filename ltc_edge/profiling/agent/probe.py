"""Reading what may not be there: files of the system below a root, and programs found on PATH.

Every function returns None where there is nothing that can be used: a missing file, no permission,
garbage, a program that hangs. Reads are bounded, so that no file can fill the memory of a small board.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import stat
import subprocess
import time
from pathlib import Path

MAX_BYTES = 1 << 18
MAX_ENTRIES = 256
"""Of a folder; a machine with more thermal zones or processors is not what this is for."""
MAX_LINE = 200
MAX_LIST = 1000
PROGRAM_SECONDS = 2.0


def read_text(root: Path, path: str) -> str | None:
    """The first 256 KiB of the regular file ``root``/``path``, what is not UTF-8 replaced."""
    try:
        # Opened without waiting: a FIFO in the place of the file would wait for a writer for ever.
        handle = os.open(str(root / path), os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return None
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return None
        content = bytearray()
        while len(content) < MAX_BYTES:
            piece = os.read(handle, MAX_BYTES - len(content))
            if not piece:
                break
            content += piece
        return content.decode("utf-8", errors="replace")
    except OSError:
        return None
    finally:
        os.close(handle)


def read_line(root: Path, path: str) -> str | None:
    """A file that has one short printable line; names from firmware end in a NUL, which is dropped."""
    return one_line(read_text(root, path))


def one_line(text: str | None) -> str | None:
    """``text`` without the blanks around it, if it is one short printable line."""
    if text is None:
        return None
    line = text.strip("\0 \t\r\n")
    return line if line and len(line) <= MAX_LINE and line.isprintable() and "\ufffd" not in line else None


def read_integer(root: Path, path: str) -> int | None:
    """A file that has one integer of at most 64 bits."""
    return integer(read_line(root, path))


def integer(text: str | None) -> int | None:
    """A decimal integer of at most 64 bits; ``int`` alone takes underscores and other scripts too."""
    if text is None or re.fullmatch(r"-?[0-9]{1,20}", text) is None:
        return None
    value = int(text)
    return value if -(1 << 63) <= value < 1 << 64 else None


def entries(root: Path, path: str, pattern: str) -> list[str]:
    """Sorted paths below ``root`` of what in folder ``path`` matches the regular expression ``pattern``."""
    found = []
    try:
        with os.scandir(root / path) as folder:
            for entry in folder:
                if re.fullmatch(pattern, entry.name):
                    found.append(f"{path}/{entry.name}")
                if len(found) == MAX_ENTRIES:
                    break
    except (OSError, ValueError):
        return []
    return sorted(found, key=_natural)


def exists(root: Path, path: str) -> bool:
    """Whether there is something at ``root``/``path``."""
    try:
        return (root / path).exists()
    except (OSError, ValueError):
        return False


def processors(text: str | None) -> list[int] | None:
    """The processors of a kernel list such as ``0-2,5``; an empty list is none of them."""
    if text is None or len(text) > MAX_LIST:
        return None
    found: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*([0-9]{1,4})(?:-([0-9]{1,4}))?\s*", part)
        if match:
            found.update(range(int(match[1]), int(match[2] or match[1]) + 1))
        elif part.strip():
            return None
    return sorted(found)


def run_program(name: str, *arguments: str) -> str | None:
    """What the program ``name`` of PATH printed, if it is there and ended well within two seconds."""
    program = shutil.which(name)
    if program is None:
        return None
    try:
        process = subprocess.Popen(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return None
    try:
        return _output(process, time.monotonic() + PROGRAM_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    finally:
        process.kill()
        if process.stdout is not None:
            process.stdout.close()
        process.wait()


def _output(process: subprocess.Popen[bytes], deadline: float) -> str | None:
    """What ``process`` prints; ``communicate`` would keep all of it, and wait for whoever holds the pipe."""
    content = bytearray()
    assert process.stdout is not None
    while select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0.0))[0]:
        piece = os.read(process.stdout.fileno(), 1 << 16)
        if not piece:
            code = process.wait(max(deadline - time.monotonic(), 0.0))
            return content.decode("utf-8", errors="replace") if code == 0 else None
        content += piece
        if len(content) > MAX_BYTES:
            return None
    return None


def _natural(path: str) -> list[tuple[int, str]]:
    """Sort key by which cpu10 comes after cpu9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"([0-9]+)", path)]
