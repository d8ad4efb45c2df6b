"""Where the study of a sweep is kept: a journal in its folder, or a database that a URL names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import optuna
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ltc_edge.errors import ControllerFileError, InputError, OutputError

JOURNAL = "study.journal"
_LOCK = f"{JOURNAL}.lock"
_REMEDY = "put back a copy of it, or remove it: what has an outcome is not done again"
_SECRETS = ("password", "sslpassword", "passfile")


def without_password(url: str) -> str:
    """A storage URL as it may be written down: made absolute, and without what only its owner knows.

    Raises:
        InputError: it is no URL of a database that outlives a process.
    """
    parsed = _parse(url)
    database = parsed.database
    if parsed.get_backend_name() == "sqlite":
        if database in (None, "", ":memory:"):
            raise InputError("--storage: name a file, such as sqlite:////home/me/sweeps.db")
        database = str(Path(str(database)).resolve())
    query = {name: value for name, value in parsed.query.items() if name not in _SECRETS}
    bare = URL.create(parsed.drivername, parsed.username, None, parsed.host, parsed.port, database, query)
    return bare.render_as_string()


def open_storage(folder: Path, url: str | None) -> tuple[BaseStorage, str | None]:
    """The storage of the sweep in ``folder``, and a note if its journal had to be repaired.

    Args:
        folder: of the sweep, which is locked.
        url: of a database, with its password where the system's own files and variables do not know it;
            None for the journal.

    Raises:
        InputError: the database cannot be reached, or its package is missing.
        ControllerFileError: the journal is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if url is not None:
        return _database(url), None
    path = folder / JOURNAL
    note = repair(path)
    with suppress(FileNotFoundError):
        (folder / _LOCK).unlink()  # of a driver that was killed; the sweep's own lock is held
    try:
        with storing(str(path)):
            return JournalStorage(JournalFileBackend(str(path))), note
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError) as error:
        raise ControllerFileError(f"{path}: holds what no sweep has written ({error!r}); {_REMEDY}") from None


@contextmanager
def storing(where: str) -> Iterator[None]:
    """Turn what storages raise into one line; what they hold is whole, or completed by --resume.

    Raises:
        OutputError: the storage cannot be read or written.
    """
    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        raise OutputError(f"{where}: {_first_line(error)}; go on with --resume once it is back") from None
    except OSError as error:
        raise OutputError(f"{where}: cannot be written ({error.strerror or error})") from None


def repair(path: Path) -> str | None:
    """Cut off what a power cut or a full disk left of the last lines of a journal; a note if there was some.

    Optuna would append to a torn line, and refuse the journal from then on. What is lost is what had not
    been acknowledged: it is done again.

    Raises:
        ControllerFileError: what is damaged is not the end.
    """
    if not path.exists():
        return None
    content = path.read_bytes()
    whole = 0
    lines = content.splitlines(keepends=True)
    for index, line in enumerate(lines):
        if not _is_record(line):
            if any(map(_is_record, lines[index + 1 :])):
                raise ControllerFileError(f"{path}: line {index + 1} is damaged; {_REMEDY}")
            break
        whole += len(line)
    if whole == len(content):
        return None
    with path.open("r+b") as file:
        file.truncate(whole)
    return f"{path}: the last {len(content) - whole} bytes were torn, and are cut off"


def _is_record(line: bytes) -> bool:
    try:
        return line.endswith(b"\n") and isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise InputError(
            "--storage: is no URL of a database, such as postgresql://user@host/sweeps or sqlite:///sweeps.db"
        ) from None


def _database(url: str) -> BaseStorage:
    shown = without_password(url)
    try:
        return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
    except ImportError as error:
        # SQLAlchemy names the driver; Optuna wraps that in advice of its own.
        missing = getattr(error.__cause__, "name", None) or "its package"
        raise InputError(f"--storage {shown}: needs the Python package {missing}; install it") from None
    except (SQLAlchemyError, RuntimeError, ValueError) as error:
        raise InputError(f"--storage {shown}: cannot be used ({_first_line(error)})") from None


def _first_line(error: BaseException) -> str:
    """The first line of what a database said; SQLAlchemy appends statements and links."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    return " ".join(str(cause).split("\n", 1)[0].split())
