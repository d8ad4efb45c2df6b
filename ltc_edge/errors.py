"""The errors ltc-edge raises.

    LtcEdgeError                 every error of this package
    ├── InputError               something handed in is unusable                     exit 2
    │   ├── ControllerFileError  a controller or run file is damaged or foreign
    │   ├── RecordingError       a recording cannot be read or used
    │   ├── TaskError            an unknown task, or a plant or expert that misbehaves
    │   ├── BundleError          a bundle is damaged, foreign or newer
    │   ├── DeviceError          a device does not answer, or runs another controller
    │   ├── FormatRefusedError   a format cannot express a controller; it carries a reason code
    │   └── OutputError          where the output goes exists already or cannot be written
    ├── MissingExtraError        an optional dependency is not installed              exit 2
    │   └── MissingToolError     a program of the system, such as a compiler, is not here
    ├── KernelError              the fused kernels cannot be built or loaded          exit 2
    ├── CacheError               the cache of programs cannot be written or trusted   exit 2
    └── CheckFailedError         a check ran and did not hold                         exit 1
        ├── TrainingDivergedError    a loss or weight became non-finite
        ├── VerificationFailedError  an exported file does not do what its controller does
        └── EmulationError           a program in an emulator faulted, or did not return

A message says what is wrong, where, and what to do, in one line.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar


class LtcEdgeError(Exception):
    """Base of every error of this package; ``exit_code`` is what the command line returns for it."""

    exit_code: ClassVar[int] = 2


class InputError(LtcEdgeError):
    """Something handed in is unusable."""


class ControllerFileError(InputError):
    """A controller or run file is damaged, edited, or not one."""


class RecordingError(InputError):
    """A recording cannot be read or used."""


class TaskError(InputError):
    """A task is unknown, or its plant or expert misbehaves."""


class BundleError(InputError):
    """A bundle is damaged, was edited, is of a newer version, or is none."""


class DeviceError(InputError):
    """A device does not answer, is gone, or runs another controller."""


class FormatRefusedError(InputError):
    """A format cannot express a controller.

    Attributes:
        reason: code of the reason; ``docs/bundle-format.md`` lists them.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class OutputError(InputError):
    """An output location exists already or cannot be written."""


class MissingExtraError(LtcEdgeError):
    """An optional dependency is not installed; ``reason`` is its code in ``docs/bundle-format.md``."""

    reason: ClassVar[str] = "needs-extra"


class MissingToolError(MissingExtraError):
    """A program of the system, such as a compiler, is not installed."""

    reason = "needs-tool"


class KernelError(LtcEdgeError):
    """The library of fused kernels cannot be built or loaded here."""


class CacheError(LtcEdgeError):
    """The cache of programs that were compiled here cannot be written, or not be trusted."""


class CheckFailedError(LtcEdgeError):
    """A check ran and did not hold."""

    exit_code = 1


class TrainingDivergedError(CheckFailedError):
    """A loss or a weight became non-finite during training."""


class VerificationFailedError(CheckFailedError):
    """An exported file does not do what its controller does.

    Attributes:
        reports: what the trials showed, by format.
    """

    def __init__(self, message: str, reports: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.reports = reports


class EmulationError(CheckFailedError):
    """A program in an emulator faulted, or did not return."""


def require(module: str, extra: str) -> ModuleType:
    """Import ``module``, or say which extra brings it.

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingExtraError(
            f"{module.split('.')[0]} is not installed. Install it with: pip install 'ltc-edge[{extra}]'"
        ) from None
