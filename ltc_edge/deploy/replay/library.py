"""What a log is replayed through: a bundle's controller behind a supervisor, compiled for this host."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.deploy.step_log.messages import Snapshot, Steps, new_steps
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.export.c import CSources
from ltc_edge.runtimes.c_compiler import FLAGS, find_compiler, shared_library
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.settings_c import settings_c

INPUTS = ("observation", "age_s", "external", "dt_s", "requests", "missed", "given")
OUTPUTS = ("action", "proposal", "status", "mode", "state_before", "state_after")
_SHARED = tuple(
    f"common/{name}" for name in ("ltc_controller.h", "ltc_guarded.h", "ltc_supervisor.h", "ltc_supervisor.c")
)
_REPLAY = "step_replay/step_replay.c"


class _Rows(ctypes.Structure):
    """``step_replay_rows``."""

    _fields_ = [(name, ctypes.c_void_p) for name in (*INPUTS, *OUTPUTS)]


class ReplayLibrary:
    """Steps a controller behind its supervisor through logged inputs.

    Args:
        sources: the controller's C, which is compiled and run in this process.
        settings: the supervisor's.
        flags: how it compiles; no choice that a controller's header allows changes a bit.

    Raises:
        InputError: there is no compiler, it fails, or the settings are of another controller.
        ControllerFileError: the controller does not give its golden bits here.
    """

    def __init__(self, sources: CSources, settings: Settings, flags: Sequence[str] = FLAGS) -> None:
        firmware = resources.files("ltc_edge.deploy") / "firmware"
        files = {path.rpartition("/")[2]: (firmware / path).read_bytes() for path in (*_SHARED, _REPLAY)}
        files |= {"supervisor_settings.c": settings_c(settings).encode(), **sources.files}
        name = sources.name
        defined = (
            f"-DCONTROLLER={name}",
            f"-DCONTROLLER_UPPER={name.upper()}",
            f'-DCONTROLLER_HEADER="{name}.h"',
        )
        with tempfile.TemporaryDirectory(prefix="ltc-edge-") as folder:
            library = shared_library(files, Path(folder), find_compiler(), (*flags, *defined))
            self._library = ctypes.CDLL(str(library))
        for function in (self._library.step_replay_start, self._library.step_replay_is):
            function.restype = ctypes.c_uint32
        sizes = (ctypes.c_uint32 * 5)()
        self._library.step_replay_sizes(sizes)
        self.observations, self.actions, self._memory, self._room, self._context = sizes
        asked = len(settings.observations), len(settings.actions)
        if asked != (self.observations, self.actions):
            raise InputError(
                f"the log is of a controller with {asked[0]} observations and {asked[1]} actions; {name} has "
                f"{self.observations} and {self.actions}"
            )
        if status := self._library.step_replay_start():
            raise ControllerFileError(
                f"{name}: the selftest does not give the golden bits here (status {status:#x}); the compiler "
                "or its flags change arithmetic"
            )

    def fits(self, snapshot: Snapshot) -> bool:
        """Whether a state is of the sizes of this controller and this supervisor."""
        found = len(snapshot.supervisor), len(snapshot.room), len(snapshot.context)
        return found == (self._memory, self._room, self._context)

    def set_state(self, snapshot: Snapshot) -> None:
        """Go on from a logged state, which must fit."""
        self._library.step_replay_set(*self._state(snapshot))

    def has_state(self, snapshot: Snapshot) -> bool:
        """Whether the state is the logged one, which must fit, to the bit."""
        return bool(self._library.step_replay_is(*self._state(snapshot)))

    def _state(self, snapshot: Snapshot) -> tuple[bytes, bytes, bytes]:
        assert self.fits(snapshot)
        return snapshot.supervisor, snapshot.room.astype(np.float32).tobytes(), snapshot.context

    def run(self, steps: Steps) -> Steps:
        """What comes out for the inputs of ``steps``, ``(N,)``: steps whose `OUTPUTS` are filled."""
        found = new_steps(len(steps), self.observations, self.actions)
        given = {name: np.ascontiguousarray(steps[name]) for name in INPUTS}
        taken = {name: np.empty_like(np.ascontiguousarray(found[name])) for name in OUTPUTS}
        arrays: dict[str, npt.NDArray[Any]] = given | taken
        rows = _Rows(**{name: array.ctypes.data for name, array in arrays.items()})
        self._library.step_replay_run(ctypes.byref(rows), len(steps))
        for name, array in taken.items():
            found[name] = array
        return found
