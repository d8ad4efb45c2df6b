"""Writing files so that a crash leaves the old or the new, and reading tensors without running code."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.arrays import FloatArray
from ltc_edge.errors import ControllerFileError, OutputError

MAX_TENSOR_FILE_BYTES = 1 << 32
_HERE, _EXCHANGE = -100, 2  # AT_FDCWD and RENAME_EXCHANGE of Linux


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: a temporary file beside it, fsync, rename.

    Raises:
        OutputError: the file cannot be written; what was there before is untouched.
    """
    temporary: str | None = None
    try:
        # A rename would put a file in the place of a device, /dev/null for one.
        if path.exists() and not path.is_file():
            raise OutputError(f"{path}: exists and is not a regular file; choose another")
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644 & ~_umask())
        Path(temporary).replace(path)
        temporary = None
        sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()


def sync_folder(path: Path) -> None:
    """Make a rename inside ``path`` survive a power cut."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def exchange(left: Path, right: Path) -> bool:
    """Let two paths change places, in one step; False where the system cannot.

    Raises:
        OSError: it could, but not these two.
    """
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if renameat2(_HERE, os.fsencode(left), _HERE, os.fsencode(right), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(code, os.strerror(code), str(right))


def new_folder_mode() -> int:
    """Permissions of a folder that is made here; temporary ones are their owner's alone."""
    return 0o777 & ~_umask()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def create_folder(path: Path, *, force: bool = False) -> None:
    """Make the new output folder ``path``, replacing an existing one only with ``force``.

    Raises:
        OutputError: it exists and ``force`` is not given, it is not a folder, or it cannot be written.
    """
    try:
        if path.is_symlink() or (path.exists() and not path.is_dir()):
            raise OutputError(f"{path}: exists and is not a folder; choose another with -o")
        if path.exists() and any(path.iterdir()):
            if not force:
                raise OutputError(
                    f"{path}: exists already; choose another with -o, or replace it with --force"
                )
            # Emptied, not replaced: it may be the current folder.
            for child in path.iterdir():
                if child.is_dir() and not child.is_symlink():
                    shutil.rmtree(child)
                else:
                    child.unlink()
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from None


def safetensors_bytes(tensors: Mapping[str, FloatArray], metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file; the same tensors give the same bytes."""
    from safetensors.numpy import save

    # safetensors writes an array's memory as it lies, so one with other strides would come back permuted.
    contiguous = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    return bytes(save(contiguous, metadata=None if metadata is None else dict(metadata)))


def digest(document: Mapping[str, Any], tensors: Mapping[str, FloatArray]) -> str:
    """sha256 over the canonical JSON and every tensor, so that an edit of either is noticed."""
    state = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])  # as it is written: a number becomes a vector of one
        state.update(f"{name} {array.dtype} {array.shape}".encode())
        state.update(array.tobytes())
    return state.hexdigest()


def read_safetensors(path: Path) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Tensors and header metadata of a safetensors file.

    Raises:
        ControllerFileError: it is missing, too large, truncated, or not safetensors.
    """
    from safetensors import SafetensorError, safe_open

    try:
        if path.is_dir():
            raise ControllerFileError(f"{path}: is a folder, expected a file")
        if path.stat().st_size > MAX_TENSOR_FILE_BYTES:
            raise ControllerFileError(f"{path}: is larger than any controller (over 4 GiB)")
        with safe_open(path, framework="numpy") as file:
            tensors: dict[str, FloatArray] = {name: np.array(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except OSError as error:
        raise ControllerFileError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ControllerFileError(f"{path}: is not a readable safetensors file ({error})") from None


def safetensors_from_bytes(content: bytes, where: str) -> dict[str, FloatArray]:
    """Tensors of a safetensors file that is already in memory.

    Raises:
        ControllerFileError: it is truncated, or not safetensors.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return dict(load(content))
    except (SafetensorError, TypeError, ValueError, KeyError, AttributeError) as error:
        raise ControllerFileError(f"{where}: is not a readable safetensors file ({error})") from None
