"""Tasks and experts that users write, named ``package.module:attribute``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

from ltc_edge.errors import LtcEdgeError, TaskError
from ltc_edge.tasks.checks import check_task
from ltc_edge.tasks.protocol import Task
from ltc_edge.tasks.wording import foreign_code, one_line


@contextmanager
def current_folder_importable() -> Iterator[None]:
    """Let imports find modules in the current folder, which a console script does not."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(folder)


def load_object(reference: str) -> object:
    """What ``package.module:attribute`` names; modules in the current folder are found too.

    Raises:
        TaskError: the reference is malformed, or names nothing, or its module fails to import.
    """
    module_name, colon, attribute = reference.partition(":")
    if not (colon and module_name and attribute):
        raise TaskError(f"{reference!r} does not name an object: write package.module:attribute")
    found: object = _import(module_name, reference)
    for part in attribute.split("."):
        with foreign_code(reference):
            if not hasattr(found, part):
                raise TaskError(f"{reference}: module {module_name} has no {attribute}")
            found = getattr(found, part)
    return found


def load_task(reference: str) -> Task:
    """The user's task that ``package.module:attribute`` names: an object, or a callable that makes one.

    Raises:
        TaskError: it cannot be imported, or is not a task; says what is missing.
    """
    found = load_object(reference)
    if isinstance(found, type) or (callable(found) and not hasattr(found, "make_plants")):
        found = _made(cast("Callable[[], object]", found), reference)
    with foreign_code(reference):
        check_task(found, reference)
    return cast(Task, found)


def _made(factory: Callable[[], object], reference: str) -> object:
    with foreign_code(f"{reference}()"):
        return factory()


def _import(module_name: str, reference: str) -> object:
    try:
        with current_folder_importable():
            return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise TaskError(f"{reference}: importing {module_name} failed: {one_line(error)}") from error
        raise TaskError(
            f"{reference}: there is no module {module_name} here or among the installed ones"
        ) from None
    except LtcEdgeError:
        raise
    except (Exception, SystemExit) as error:
        raise TaskError(f"{reference}: importing {module_name} raised {one_line(error)}") from error
