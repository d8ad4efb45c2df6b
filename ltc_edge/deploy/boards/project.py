"""The firmware project of a bundle and a board: every file of it, as bytes, before any is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.controller import Controller
from ltc_edge.deploy.boards.board import Board
from ltc_edge.deploy.boards.settings import loop_settings, settings_files
from ltc_edge.deploy.sources import trusted_sources
from ltc_edge.errors import InputError
from ltc_edge.export.c import CSources
from ltc_edge.version import __version__

FIRMWARE = Path(__file__).parents[1] / "firmware"
RECORD = "project.json"
APP = "app"
"""The folder that is the user's."""

NOT_COPIED = frozenset({"serial_main.c", "app_sensors.c", "README.md"})
"""Of the shared folder: the other program, what becomes the user's file, and the examples' words."""

_KINDS = (".c", ".h", ".S", ".ld", ".mk", ".awk")
_HASHED = re.compile(r".*(\.[chS]|\.ld|\.mk|\.awk|/Makefile)", re.DOTALL)


@dataclass(frozen=True, eq=False)
class Project:
    """A firmware project.

    Attributes:
        board: what it is for.
        controller: what it runs.
        sources: that controller in C.
        form: the format's name.
        period_s: of the control loop.
        files: content by path, `RECORD` among them; those under `APP` are what a new project begins with.
    """

    board: Board
    controller: Controller
    sources: CSources
    form: str
    period_s: float
    files: Mapping[str, bytes]


def make_project(
    bundle: Bundle,
    board: Board,
    form: str,
    *,
    period_s: float,
    supervisor: Path | None = None,
    trust_c: bool = False,
) -> Project:
    """The project of a bundle's format for a board; the same bytes every time.

    Args:
        bundle: the bundle.
        board: the board.
        form: name of a format in C.
        period_s: of the control loop.
        supervisor: the user's settings of the supervisor, TOML.
        trust_c: take the bundle's own C as it is; see `trusted_sources`.

    Raises:
        BundleError: the bundle's C is not what its controller gives.
        InputError: the bundle has no such format, or the settings of the supervisor are unusable.
    """
    from ltc_edge.deploy.boards.readme import project_readme

    sources = trusted_sources(bundle, form, trust_c=trust_c).c_sources()
    files = {f"controller/{name}": content for name, content in sources.files.items()}
    files |= board_files(board)
    files |= settings_files(loop_settings(bundle.controller, supervisor), period_s)
    files["Makefile"] = _makefile(board, sources).encode()
    files["README.md"] = project_readme(bundle, board, form, sources, period_s).encode()
    record = {
        "format": "ltc-edge firmware project",
        "schema": 1,
        "ltc_edge": __version__,
        "bundle_sha256": bundle.manifest_sha256(),
        "controller": sources.version(),
        "form": form,
        "board": board.name,
        "period_s": period_s,
        "files": {
            path: hashlib.sha256(content).hexdigest()
            for path, content in sorted(files.items())
            if not is_users(path)
        },
    }
    files[RECORD] = (json.dumps(record, indent=1) + "\n").encode()
    return Project(board, bundle.controller, sources, form, period_s, files)


def board_files(board: Board) -> dict[str, bytes]:
    """What of ``firmware_examples`` a project holds.

    Raises:
        InputError: the board's folder is not there.
    """
    folder = FIRMWARE / board.folder
    if not (folder / "Makefile").is_file():
        raise InputError(f"{board.name}: there is no board folder {board.folder!r} in {FIRMWARE.name}")
    files = {}
    for source, target in ((FIRMWARE / "common", "common"), (folder, "board")):
        for path in sorted(source.iterdir()):
            kept = path.suffix in _KINDS or path.name == "Makefile"
            if path.is_file() and kept and path.name not in NOT_COPIED:
                files[f"{target}/{path.name}"] = path.read_bytes()
    files[f"{APP}/sensors.c"] = (FIRMWARE / "common" / "app_sensors.c").read_bytes()
    return files


def is_users(path: str) -> bool:
    """Whether a file of a project is the user's own: in `APP`, or in what is hidden, such as ``.git``."""
    top = PurePosixPath(path).parts[0]
    return top == APP or top.startswith(".")


def image_hash(files: Mapping[str, bytes]) -> str:
    """What an image of these files says that it is: 16 hexadecimal digits, as ``project.mk`` makes them.

    Args:
        files: of a project, by path; what no image is made of does not count.
    """
    hashed = hashlib.sha256()
    for path in sorted((f"./{path}" for path in files), key=str.encode):
        if _HASHED.fullmatch(path) and "/build/" not in path:
            hashed.update(files[path[2:]])
    return hashed.hexdigest()[:16]


def _makefile(board: Board, sources: CSources) -> str:
    options = "".join(f"{option}\n".replace("=", " := ", 1) for option in board.make)
    return (
        f"# {' '.join(board.title.split())}: `make` builds the image in build/. It needs {board.compiler} "
        f"({board.compiler_package}).\n"
        f"PROJECT := .\nCONTROLLER_DIR := controller\nCONTROLLER := {sources.name}\n{options}"
        "include board/Makefile\n"
    )
