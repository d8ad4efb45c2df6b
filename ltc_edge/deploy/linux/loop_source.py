"""What a loop program is made of: a bundle's C, its supervisor's settings, and what its log says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.controller import Controller
from ltc_edge.deploy.linux.build import program_tree
from ltc_edge.deploy.sources import choose_c_format, trusted_sources
from ltc_edge.deploy.step_log.facts import facts_c, make_facts
from ltc_edge.errors import InputError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.supervision.settings import Settings, default_settings
from ltc_edge.supervision.settings_c import settings_c
from ltc_edge.supervision.settings_file import read_settings

SETTINGS_FILE, FACTS_FILE = "supervisor_settings.c", "step_log_facts.c"


@dataclass(frozen=True, eq=False)
class LoopSource:
    """What a loop program is made of.

    Attributes:
        controller: that it runs.
        form: name of the format in C.
        artifact: the controller in C.
        settings: of the supervisor.
        generated: C files by name that are compiled with it: the settings, and what its log says of it.
    """

    controller: Controller
    form: str
    artifact: Artifact
    settings: Settings
    generated: dict[str, bytes]

    def tree(self) -> dict[str, bytes]:
        """All files, as `build_here` takes them."""
        return program_tree(self.artifact.c_sources(), self.generated)

    def variables(self) -> tuple[str, ...]:
        """Of make."""
        return (f"SETTINGS={' '.join(f'controller/{name}' for name in self.generated)}",)


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
        InputError: it has no such format, the settings cannot be used, or its C has a file of theirs.
    """
    chosen = choose_c_format(bundle, form)
    artifact = trusted_sources(bundle, chosen, trust_c=trust_c)
    settings = default_settings(bundle.controller)
    if supervisor is not None:
        settings = read_settings(supervisor, settings)
    facts = facts_c(make_facts(bundle, chosen, step_s, settings))
    generated = {SETTINGS_FILE: settings_c(settings).encode(), FACTS_FILE: facts.encode()}
    taken = generated.keys() & artifact.c_sources().files.keys()
    if taken:
        raise InputError(
            f"{bundle.path}: a controller cannot be called {min(taken)[:-2]}: --c-name of export"
        )
    return LoopSource(bundle.controller, chosen, artifact, settings, generated)
