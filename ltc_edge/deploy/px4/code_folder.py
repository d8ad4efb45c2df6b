"""A folder of flight code on disk: it is replaced as it was written, never with somebody's work in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ltc_edge.deploy.generated_folder import changed_files, write_folder
from ltc_edge.errors import OutputError

RECORD = ".ltc-edge.json"
FORMAT = "ltc-edge flight code"
LARGEST_RECORD = 1 << 20


def write_code(files: Mapping[str, bytes], folder: Path, *, force: bool = False) -> None:
    """Write flight code into a new folder, or with ``force`` in the place of an earlier one.

    Args:
        files: content by path.
        folder: where to; without ``force`` it must not exist, or be empty.
        force: replace flight code that was written here before, and that nobody changed or added to.

    Raises:
        OutputError: the folder exists already, has somebody's files, or cannot be written. What was there
            before is untouched.
    """
    written = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    record = json.dumps({"format": FORMAT, "files": written}, indent=1) + "\n"

    def check(there: Path) -> None:
        if not force:
            raise OutputError(f"{there}: exists already; choose another, or replace flight code with --force")
        before = _written_before(there)
        for path in changed_files(there, before):
            if path == there / RECORD:
                continue
            is_known = path.relative_to(there).as_posix() in before
            what = "was changed since it was written" if is_known else "is not of ltc-edge"
            raise OutputError(f"{path}: {what}; --force does not replace it: move it elsewhere first")

    write_folder({**files, RECORD: record.encode()}, folder, check)


def _written_before(folder: Path) -> dict[str, Any]:
    try:
        with (folder / RECORD).open("rb") as file:
            record = json.loads(file.read(LARGEST_RECORD))
        if record["format"] == FORMAT and isinstance(record["files"], dict):
            return dict(record["files"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    raise OutputError(f"{folder}: exists already, and is no flight code that ltc-edge wrote; choose another")
