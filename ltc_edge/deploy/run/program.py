"""The loop program of a bundle, built for this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.controller import Controller
from ltc_edge.deploy.linux.build import build_here, program_tree
from ltc_edge.deploy.sources import choose_c_format, trusted_sources
from ltc_edge.deploy.step_log.facts import facts_c, make_facts
from ltc_edge.errors import OutputError
from ltc_edge.export.c import CSources
from ltc_edge.files import write_atomically
from ltc_edge.runtimes.c_compiler import find_compiler
from ltc_edge.supervision.settings import Settings, default_settings
from ltc_edge.supervision.settings_c import settings_c
from ltc_edge.supervision.settings_file import read_settings

SETTINGS_FILE, FACTS_FILE = "supervisor_settings.c", "step_log_facts.c"


@dataclass(frozen=True)
class LoopSource:
    """What a loop program is made of.

    Attributes:
        controller: that it runs.
        form: name of the format in C.
        sources: the controller's C.
        settings: of the supervisor.
        generated: C files by name that are compiled with it: the settings, and what its log says of it.
    """

    controller: Controller
    form: str
    sources: CSources
    settings: Settings
    generated: dict[str, bytes]


def loop_source(
    bundle: Bundle, form: str | None, step_s: float, supervisor: Path | None, *, trust_c: bool = False
) -> LoopSource:
    """Everything that a loop program is built from.

    Args:
        bundle: the bundle.
        form: its format in C; None for c-float32, or the only one there is.
        step_s: from one step of the controller to the next, for the log.
        supervisor: the user's ``supervisor.toml``; None for what follows from the controller.
        trust_c: compile the bundle's own C, even where its controller gives other C.

    Raises:
        BundleError: the bundle's C is not what its controller gives.
        InputError: it has no C, or the settings cannot be read.
    """
    chosen = choose_c_format(bundle, form)
    sources = trusted_sources(bundle, chosen, trust_c=trust_c).c_sources()
    settings = default_settings(bundle.controller)
    if supervisor is not None:
        settings = read_settings(supervisor, settings)
    facts = facts_c(make_facts(bundle, chosen, step_s, settings))
    generated = {SETTINGS_FILE: settings_c(settings).encode(), FACTS_FILE: facts.encode()}
    return LoopSource(bundle.controller, chosen, sources, settings, generated)


@contextmanager
def built_loop(source: LoopSource) -> Iterator[Path]:
    """The program, in a temporary folder that goes at the end.

    Raises:
        MissingToolError: there is no C compiler or no make.
        InputError: it cannot be built.
    """
    tree = program_tree(source.sources, source.generated)
    program = build_here(tree, find_compiler(), [_settings_variable()])
    with tempfile.TemporaryDirectory(prefix="ltc-edge-run-") as folder:
        path = Path(folder) / "rt_loop"
        path.write_bytes(program.content)
        path.chmod(0o700)
        yield path


def write_generated(source: LoopSource, folder: Path) -> None:
    """Write the generated files, for who builds the example by hand.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from None
    for name, content in source.generated.items():
        write_atomically(folder / name, content)


def _settings_variable() -> str:
    return "SETTINGS=" + " ".join(f"controller/{name}" for name in (SETTINGS_FILE, FACTS_FILE))
