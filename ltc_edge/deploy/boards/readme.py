"""What a firmware project says about itself."""

from __future__ import annotations

import shlex
from pathlib import Path

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.deploy.boards.board import Board, Call
from ltc_edge.export.c import CSources
from ltc_edge.version import __version__

TEMPLATES = Path(__file__).with_name("templates")
BUILT = {kind: f"build/firmware.{kind}" for kind in ("elf", "hex", "bin", "uf2")}
"""Where make puts an image, by the placeholder of a flash tool's argument."""


def project_readme(bundle: Bundle, board: Board, form: str, sources: CSources, period_s: float) -> str:
    """The project's README.md."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = _cell
    return environment.get_template("README.md.j2").render(
        name=bundle.controller.name,
        controller=bundle.controller,
        board=board,
        form=form,
        version=sources.version(),
        period=f"{1000 * period_s:g} ms",
        bundle=bundle.manifest_sha256(),
        ltc_edge=__version__,
        flash=_shown(board.flash),
        emulator=_shown(board.emulator),
    )


def _cell(text: str) -> str:
    """A user's text within a table."""
    return " ".join(text.split()).replace("|", "\\|")


def _shown(call: Call | None) -> str | None:
    return None if call is None else shlex.join(call.filled({**BUILT, "port": "PORT"}))
