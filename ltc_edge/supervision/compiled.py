"""A bundle's C controller with the supervisor in C around it, compiled for this machine."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import ltc_edge.deploy
from ltc_edge.bundle.bundle import Bundle
from ltc_edge.errors import ControllerFileError, InputError
from ltc_edge.export.c import CSources
from ltc_edge.runtimes.c_compiler import FLAGS, find_compiler, shared_library
from ltc_edge.supervision.codes import Mode
from ltc_edge.supervision.settings import Settings, default_settings
from ltc_edge.supervision.settings_c import NAME, settings_c
from ltc_edge.supervision.supervisor import MEMORY_WORDS, Input, Output

COMMON = Path(ltc_edge.deploy.__file__).parent / "firmware" / "common"
"""Where the firmware's shared sources lie."""

_MODES = tuple(Mode)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Addresses:
    """Where C finds what Python calls; they hold as long as the `SupervisedController` does.

    Attributes:
        step: a function ``uint32_t (const float *given, uint32_t present, uint32_t missed, uint32_t requests,
            float *action)``, the status its result.
        proposal: what the controller proposed at the last step, ``(M,)`` float32.
        mode: the supervisor's `Mode`, a ``uint32_t``.
    """

    step: int
    proposal: int
    mode: int


class SupervisedController:
    """Supervisor and controller, stepped in this process.

    Args:
        sources: the controller in C. Compiling a stranger's runs their program: see `of_bundle`.
        settings: of the supervisor.
        compiler: command of the C compiler; where not given CC of the environment, cc, gcc or clang.
        flags: how it compiles.

    Attributes:
        settings: of the supervisor.
        memory, room: the supervisor's own, as it holds them: words ``(9,)`` and floats ``(5 M,)``.
        context: bytes of the controller's context.
        start_status: of the controller's first reset.

    Raises:
        InputError: there is no compiler, it fails, or the settings are of another controller.
        ControllerFileError: the selftest fails: the compiler changes arithmetic.
    """

    def __init__(
        self,
        sources: CSources,
        settings: Settings,
        compiler: str | None = None,
        flags: Sequence[str] = FLAGS,
    ) -> None:
        self.settings = settings
        self._library = _compile(sources, settings, find_compiler(compiler), flags)
        actions, inputs = len(settings.actions), len(settings.observations)
        fixed = ("supervised_observations", "supervised_actions", "supervised_context_bytes")
        sizes = [ctypes.c_uint32.in_dll(self._library, name).value for name in fixed]
        if sizes[:2] != [inputs, actions]:
            raise InputError(
                f"the settings are for {inputs} readings and {actions} actions, the controller has "
                f"{sizes[0]} and {sizes[1]}"
            )
        self.memory = self._array("supervised_memory", MEMORY_WORDS, np.uint32)
        self.room = self._array("supervised_room", 5 * actions, np.float32)
        self.context: Bytes = self._array("supervised_context", sizes[2], np.uint8)
        # Plain arrays of ctypes: of so few numbers they are the quickest to fill and to read.
        self._given: Any = (ctypes.c_float * (1 + 2 * inputs + actions))()
        self._action: Any = (ctypes.c_float * actions)()
        first = ctypes.c_float.in_dll(self._library, "supervised_room")
        place = ctypes.addressof(first) + 4 * actions * ctypes.sizeof(first)
        self._proposal: Any = (ctypes.c_float * actions).from_address(place)
        self._mode = ctypes.c_uint32.in_dll(self._library, "supervised_memory")
        self._step: Any = self._library.supervised_step
        self._step.argtypes = (type(self._given), *(ctypes.c_uint32,) * 3, type(self._action))
        self._step.restype = ctypes.c_uint32
        if failed := int(self._library.supervised_selftest()):
            raise ControllerFileError(
                f"the selftest of {sources.name} does not give the golden bits (status {failed:#x}); the "
                "compiler or its flags change arithmetic"
            )
        self.start()

    @classmethod
    def of_bundle(
        cls,
        bundle: Bundle,
        form: str = "c-float32",
        settings: Settings | None = None,
        *,
        trust_c: bool = False,
        compiler: str | None = None,
    ) -> SupervisedController:
        """That of a bundle, its C written anew from its controller unless ``trust_c``.

        Args:
            bundle: with a format in C.
            form: the format, c-float32 or c-int16.
            settings: of the supervisor; those that follow from the controller where not given.
            trust_c: compile the bundle's own C as it is, whatever it does.
            compiler: command of the C compiler.

        Raises:
            BundleError: the bundle's C is not what its controller gives.
            InputError: the bundle has no such format, or see the class.
        """
        from ltc_edge.deploy.sources import trusted_sources

        sources = trusted_sources(bundle, form, trust_c=trust_c).c_sources()
        return cls(sources, settings or default_settings(bundle.controller), compiler)

    def start(self) -> None:
        """Disarmed, at rest."""
        self.start_status = int(self._library.supervised_start())

    def step(self, given: Input) -> Output:
        """One period; see `Supervisor.step`."""
        inputs, packed = len(given.observation), self._given
        packed[0] = given.dt_s
        packed[1 : 1 + inputs] = given.observation
        present = 0
        if given.age_s is not None:
            packed[1 + inputs : 1 + 2 * inputs] = given.age_s
            present = 1
        if given.external is not None:
            packed[1 + 2 * inputs : len(packed)] = given.external
            present |= 2
        status = self._step(packed, present, given.missed, given.requests, self._action)
        return Output(tuple(self._action), tuple(self._proposal), status, _MODES[self._mode.value])

    @property
    def addresses(self) -> Addresses:
        """For C that steps it without Python in between."""
        step = ctypes.cast(self._step, ctypes.c_void_p).value
        assert step is not None
        return Addresses(step, ctypes.addressof(self._proposal), ctypes.addressof(self._mode))

    def _array(self, name: str, size: int, dtype: Any) -> Any:
        """The library's own memory as an array."""
        count = size * np.dtype(dtype).itemsize
        place: Any = (ctypes.c_uint8 * count).in_dll(self._library, name)
        return np.frombuffer(place, dtype=dtype)


def _compile(
    sources: CSources, settings: Settings, compiler: Sequence[str], flags: Sequence[str]
) -> ctypes.CDLL:
    own = {name: (COMMON / name).read_bytes() for name in SUPERVISOR_FILES}
    files = {**sources.files, **own, f"{NAME}.c": settings_c(settings).encode("ascii")}
    files["supervised.c"] = (COMMON.parent / "supervised" / "supervised.c").read_bytes()
    name = sources.name
    named = (
        f"-DCONTROLLER={name}",
        f"-DCONTROLLER_UPPER={name.upper()}",
        f'-DCONTROLLER_HEADER="{name}.h"',
    )
    with tempfile.TemporaryDirectory(prefix="ltc-edge-") as folder:
        # Where a library that is in use cannot be deleted, the folder stays for the system to clear.
        library = shared_library(files, Path(folder), compiler, (*flags, *named))
        return ctypes.CDLL(str(library))


SUPERVISOR_FILES = ("ltc_controller.h", "ltc_supervisor.c", "ltc_supervisor.h")
"""What of the firmware's shared sources a supervised controller is compiled with."""
