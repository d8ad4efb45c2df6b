"""ltc-edge: train liquid time-constant controllers, verify them, and run them on embedded boards.

Importing this package takes next to nothing: what a name needs is imported when it is first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ltc_edge.version import __version__

if TYPE_CHECKING:
    from ltc_edge.bundle.bundle import Bundle, load_bundle
    from ltc_edge.controller import Controller, Scaling, Timing
    from ltc_edge.controller_file import load_controller, save_controller
    from ltc_edge.errors import InputError, LtcEdgeError
    from ltc_edge.ncps_import import NcpsOptions, import_ncps
    from ltc_edge.runtimes.reference import ReferenceStepper
    from ltc_edge.runtimes.stepper import Stepper
    from ltc_edge.runtimes.torch_runtime import TorchStepper
    from ltc_edge.signals import ActionSignal, ObservationSignal
    from ltc_edge.wiring import Wiring

__all__ = [
    "ActionSignal",
    "Bundle",
    "Controller",
    "InputError",
    "LtcEdgeError",
    "NcpsOptions",
    "ObservationSignal",
    "ReferenceStepper",
    "Scaling",
    "Stepper",
    "Timing",
    "TorchStepper",
    "Wiring",
    "__version__",
    "import_ncps",
    "load_bundle",
    "load_controller",
    "save_controller",
]


# Where each name is; type checkers have them from the imports above.
_MODULES = {
    "ActionSignal": "signals",
    "Bundle": "bundle.bundle",
    "Controller": "controller",
    "InputError": "errors",
    "LtcEdgeError": "errors",
    "NcpsOptions": "ncps_import",
    "ObservationSignal": "signals",
    "ReferenceStepper": "runtimes.reference",
    "Scaling": "controller",
    "Stepper": "runtimes.stepper",
    "Timing": "controller",
    "TorchStepper": "runtimes.torch_runtime",
    "Wiring": "wiring",
    "import_ncps": "ncps_import",
    "load_bundle": "bundle.bundle",
    "load_controller": "controller_file",
    "save_controller": "controller_file",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'ltc_edge' has no attribute {name!r}")
    if name == "TorchStepper":
        from ltc_edge.errors import require

        require("torch", "train")
    return getattr(importlib.import_module(f"ltc_edge.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
