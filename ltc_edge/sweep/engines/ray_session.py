"""A connection to Ray: an instance of its own on this machine, or a cluster that is there."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import socket
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import ltc_edge
from ltc_edge.errors import InputError, require
from ltc_edge.sweep.engines.processes import ONE_THREAD, usable_cores
from ltc_edge.sweep.engines.ray_options import RayOptions

OBJECT_STORE_BYTES = 80 << 20
"""Of an instance of its own: what goes through it are run folders of 100 KB."""

_SOCKETS = Path("/tmp")
"""Where an instance has its folder: paths of sockets have 107 characters, and other folders for temporary
files have longer names."""

_SECONDS_TO_ANSWER = 10.0

_QUIET = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}

_OWN = {
    # Ray binds to loopback alone where it is told that machines never work together, as on a laptop's system.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # And nobody else on this machine may hand it code.
    "RAY_AUTH_MODE": "token",
}


@contextlib.contextmanager
def ray_session(options: RayOptions) -> Iterator[ModuleType]:
    """The module ``ray``, connected; what was started for it ends with it.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: there is no such cluster, it has another version of Ray, or Ray is in use already.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    with _own_instance(options) if options.address is None else _cluster(options) as settings:
        ray = require("ray", "cluster")
        if ray.is_initialized():
            raise InputError("Ray is connected in this process already; end that with ray.shutdown()")
        # Else what Ray's daemons have to say is printed in the midst of what the command prints.
        worker: Any = require("ray._private.worker", "cluster")
        try:
            worker._worker_logs_enabled = False
            _connect(ray, settings)
            yield ray
        finally:
            ray.shutdown()
            worker._worker_logs_enabled = True


def _connect(ray: ModuleType, settings: dict[str, Any]) -> None:
    try:
        with warnings.catch_warnings():
            # About GPUs, and of files of its own that it leaves to the garbage collector.
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", ResourceWarning)
            _knock(settings["address"])
            ray.init(**_QUIET, **settings)
    except Exception as error:  # Ray raises just that where a machine is too busy to start it in 30 s
        raise InputError(f"no Ray at {settings['address']}: {one_line(error)}") from None


def _knock(address: str) -> None:
    """See that somebody listens at ``address``: Ray itself tries for minutes.

    Raises:
        OSError, ValueError: nobody does, or it is no address.
    """
    services: Any = require("ray._private.services", "cluster")
    found = services.canonicalize_bootstrap_address(address)  # None for an instance that is yet to be
    if found is not None:
        host, port = services.extract_ip_port(found)
        socket.create_connection((host, port), _SECONDS_TO_ANSWER).close()


@contextlib.contextmanager
def _own_instance(options: RayOptions) -> Iterator[dict[str, Any]]:
    """Arguments of `ray.init` for an instance on this machine that nobody else can talk to."""
    folder = tempfile.mkdtemp(prefix="ltc-edge-ray-", dir=_SOCKETS)
    environment = {**_OWN, "RAY_AUTH_TOKEN": _token()}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)  # Ray reads it when it is imported, and what it starts inherits it
    try:
        yield {
            # Not by default: the file of an instance that is gone would be taken for a cluster.
            "address": "local",
            "num_cpus": options.workers or usable_cores(),
            "object_store_memory": OBJECT_STORE_BYTES,
            "runtime_env": {"env_vars": {**ONE_THREAD, "PYTHONPATH": os.pathsep.join(sys.path)}},
            "_temp_dir": folder,
        }
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _cluster(options: RayOptions) -> Iterator[dict[str, Any]]:
    """Arguments of `ray.init` for a cluster, with what is sent to its nodes."""
    environment: dict[str, Any] = {"env_vars": ONE_THREAD}
    with tempfile.TemporaryDirectory(prefix="ltc-edge-sweep-") as folder:
        if options.code == "ship":
            lay_out(Path(folder), options.files)
            environment["working_dir"] = folder
        yield {"address": options.address, "runtime_env": environment}


@functools.cache
def _token() -> str:
    """The secret of the instances of this process: Ray reads it once."""
    return secrets.token_hex(32)


def lay_out(folder: Path, files: tuple[Path, ...]) -> None:
    """Put this ltc-edge into ``folder``, and ``files`` by their paths relative to the current folder.

    Copies: Ray leaves out what .gitignore names, such as the compiled kernels of a checkout.

    Raises:
        InputError: a file is not there, or not below the current folder.
    """
    here = Path.cwd()
    places = [_place_below(here, path) for path in files]
    ignore = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(Path(ltc_edge.__path__[0]), folder / "ltc_edge", ignore=ignore)
    for place in places:
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        if (here / place).is_dir():
            shutil.copytree(here / place, target, ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copy2(here / place, target)


def _place_below(here: Path, path: Path) -> Path:
    # Without following links: workers find it by the name that it has here.
    place = Path(os.path.normpath(here / path))
    if not place.exists():
        raise InputError(f"{path}: no such file")
    if not place.is_relative_to(here):
        raise InputError(
            f"{path}: is not below the current folder, so workers would not find it by its name; "
            "start in a folder above it, or put it where all nodes see it"
        )
    return place.relative_to(here)


def one_line(error: BaseException) -> str:
    """The message of an error of Ray, whose messages are pages."""
    words = " ".join(str(error).split())
    return words if len(words) <= 400 else words[:399] + "…"
