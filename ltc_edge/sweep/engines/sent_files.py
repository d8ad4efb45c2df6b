"""What a source of training reads from the current folder: a cluster's workers have to be sent it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ltc_edge.logs.reading import find_files
from ltc_edge.tasks.loading import current_folder_importable
from ltc_edge.training.sources import (
    EnvironmentSource,
    LogTaskSource,
    RecordingsSource,
    Source,
    TaskSource,
)


def files_of(source: Source) -> tuple[Path, ...]:
    """Recordings with a relative path, and modules of a user's task or expert below the current folder.

    What has an absolute path, or is installed, is taken to be on all nodes.

    Raises:
        RecordingError: a pattern of recordings matches nothing.
    """
    match source:
        case RecordingsSource():
            named = list(find_files((*source.data, *source.validation, *source.test), "--data"))
        case LogTaskSource():
            named = [Path(source.data_dir)]
        case TaskSource():
            named = _module(source.name)
        case EnvironmentSource():
            named = _module(source.expert)
        case _:
            named = []
    return tuple(path for path in named if not path.is_absolute())


def _module(reference: str) -> list[Path]:
    """The top-level module or package of ``package.module:attribute``, if below the current folder."""
    name, colon, _ = reference.partition(":")
    if not colon:
        return []
    with current_folder_importable():
        found = importlib.util.find_spec(name.partition(".")[0])
    if found is None or found.origin is None:
        return []
    file = Path(found.origin)
    folder = file.parent if file.name == "__init__.py" else file
    return [folder.relative_to(Path.cwd())] if folder.is_relative_to(Path.cwd()) else []
