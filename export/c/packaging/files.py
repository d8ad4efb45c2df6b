"""The folder of a controller in C, with the packaging of every ecosystem."""

from __future__ import annotations

from collections.abc import Mapping

from ltc_edge.controller import Controller
from ltc_edge.export.c.packaging.facts import Facts, facts_of
from ltc_edge.export.c.packaging.manifests import idf_component, library_json, library_properties
from ltc_edge.export.c.packaging.readme import readme
from ltc_edge.export.c.packaging.sketch import sketch
from ltc_edge.export.c.packaging.templates import filled
from ltc_edge.export.c.packaging.wrapper import wrapper
from ltc_edge.export.c.sources import CSources
from ltc_edge.version import __version__


def package_files(sources: CSources, controller: Controller) -> dict[str, bytes]:
    """A controller's sources in ``src/``, with what makes a package of them in every ecosystem.

    The folder is an Arduino library, a PlatformIO library, a component of ESP-IDF, a module of Zephyr and a
    CMake package at once; ``src/<name>.hpp`` is its interface in C++17.

    Args:
        sources: the C of the controller, of either state type.
        controller: what it was made from.

    Returns:
        Content of each file by its path in the folder, sorted; the same bytes for the same controller.
    """
    facts = facts_of(sources, controller)
    texts = {
        "CMakeLists.txt": filled("CMakeLists.txt", _build_words(facts)),
        "README.md": readme(facts),
        f"examples/{facts.name}/{facts.name}.ino": sketch(facts),
        "idf_component.yml": idf_component(facts),
        "library.json": library_json(facts),
        "library.properties": library_properties(facts),
        f"src/{facts.name}.hpp": wrapper(facts),
        "zephyr/CMakeLists.txt": filled("zephyr.cmake", _build_words(facts)),
        "zephyr/Kconfig": filled("Kconfig", _build_words(facts)),
        "zephyr/module.yml": filled("module.yml", _build_words(facts)),
    }
    files = {path: text.encode("utf-8") for path, text in texts.items()}
    files |= {f"src/{name}": content for name, content in sources.files.items()}
    return dict(sorted(files.items()))


def _build_words(facts: Facts) -> Mapping[str, str]:
    """Words of build files: nothing in them was written by people, so that nothing needs to be escaped."""
    return {
        "name": facts.name,
        "upper": facts.name.upper(),
        "exporter": __version__,
        "release": facts.release,
        "sources": "\n".join(f"  {name}" for name in facts.sources),
    }
