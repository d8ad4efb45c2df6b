"""The quantisation plan of a bundle, once it is known to be of its controller."""

from __future__ import annotations

import numpy as np

from ltc_edge.bundle.bundle import Bundle
from ltc_edge.bundle.contents import PLAN
from ltc_edge.controller import Controller
from ltc_edge.errors import BundleError, InputError
from ltc_edge.export.lowering import lower_unit
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.plan_file import plan_from_bytes
from ltc_edge.version import __version__


def bundle_plan(bundle: Bundle) -> QuantizationPlan | None:
    """The plan in a bundle; None where it has none, and no format that needs one.

    Raises:
        BundleError: it is missing, or not the plan of the bundle's controller.
    """
    integer = [name for name, artifact in bundle.artifacts.items() if artifact.form.arithmetic == "integer"]
    if PLAN not in bundle.files.contents and not integer:
        return None
    where = bundle.path / PLAN
    plan = plan_from_bytes(bundle.content(PLAN), str(where))
    try:
        fits = _fits(plan, bundle.controller)
    except (InputError, ValueError, KeyError, IndexError, ArithmeticError):
        fits = False
    if not fits:
        raise BundleError(
            f"{where}: is not the plan of this controller, or ltc-edge {__version__} plans in another way "
            "than the version that wrote it; export the bundle again"
        )
    return plan


def _fits(plan: QuantizationPlan, controller: Controller) -> bool:
    """Whether a plan has a number for everything that the controller's step has."""
    coordinates = plan.coordinates
    widths = [len(getattr(coordinates, name).span) for name in ("observation", "dt", "state", "action")]
    if widths != [len(controller.observations), 1, controller.state_size, len(controller.actions)]:
        return False
    with np.errstate(all="ignore"):
        program = lower_unit(controller, coordinates)
    shapes = {operation.output: operation.weight.shape for operation in program.dense()}
    return program.sizes.keys() <= plan.tensors.keys() and shapes == {
        output: dense.values.shape for output, dense in plan.dense.items()
    }
