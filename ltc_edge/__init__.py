"""ltc-edge: train liquid time-constant controllers, verify them, and run them on embedded boards.

Importing this package is light: what needs torch is imported when it is first used.
"""

from typing import Any

from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.controller_file import load_controller, save_controller
from ltc_edge.errors import InputError, LtcEdgeError
from ltc_edge.ncps_import import NcpsOptions, import_ncps
from ltc_edge.runtimes.reference import ReferenceStepper
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.version import __version__
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


def __getattr__(name: str) -> Any:
    if name == "TorchStepper":
        from ltc_edge.errors import require

        require("torch", "train")
        from ltc_edge.runtimes.torch_runtime import TorchStepper

        return TorchStepper
    if name in ("Bundle", "load_bundle"):
        from ltc_edge.bundle import bundle

        return getattr(bundle, name)
    raise AttributeError(f"module 'ltc_edge' has no attribute {name!r}")
