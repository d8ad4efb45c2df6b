"""One format of one controller, in memory: what the figures of a trial are of."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from ltc_edge.bundle.calibration import EXCITATION_SEED
from ltc_edge.bundle.quantization import plan_formats
from ltc_edge.bundle.subject import subject_of
from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError, MissingExtraError, MissingToolError
from ltc_edge.export.artifacts import Artifact, Refusal, make_artifact
from ltc_edge.export.calibration import excitation
from ltc_edge.export.formats import FORMATS, Format
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.exported import exported_stepper
from ltc_edge.runtimes.stepper import Stepper
from ltc_edge.verification.task_trial import Loaded

SEQUENCES, STEPS = 2, 40
"""Of the calibration of what is not trained."""


@dataclass(frozen=True, eq=False)
class Exported:
    """An exported controller.

    Attributes:
        trained: the controller as it was trained.
        controller: the same as the hub has it, from which the files are made.
        artifact: the files of the format.
        plan: of integer formats.
    """

    trained: Controller
    controller: Controller
    artifact: Artifact
    plan: QuantizationPlan | None

    @property
    def is_c(self) -> bool:
        """Whether it is C, and so has figures of microcontrollers."""
        return self.artifact.form.runtime == "c"

    @cached_property
    def stepper(self) -> Stepper:
        """What executes the very files, on this machine; compiled or loaded once.

        Raises:
            ControllerFileError: the runtime refuses them.
            MissingExtraError: there is no such runtime or compiler.
        """
        return exported_stepper(self.artifact, self.controller)


def export_format(trained: Controller, name: str, loaded: Loaded | None) -> Exported:
    """``trained`` in the format ``name``, calibrated as ``ltc-edge export`` does on what is ``loaded``.

    Raises:
        FormatRefusedError: the controller has no such form.
        MissingExtraError: what writes the format is not installed.
    """
    controller, form = subject_of(trained, None).controller, FORMATS[name]
    plan = plan_formats(controller, loaded, [form], ranked=False)
    return _made(trained, controller, form, plan)


def export_untrained(untrained: Controller, name: str) -> Exported:
    """``untrained`` in the format ``name``, calibrated on so little that only its costs are to be believed.

    Raises:
        FormatRefusedError: the controller has no such form.
        MissingExtraError: what writes the format is not installed.
    """
    controller, form = subject_of(untrained, None).controller, FORMATS[name]
    plan = None
    if form.arithmetic == "integer":
        seen = excitation(controller, sequences=SEQUENCES, steps=STEPS, seed=EXCITATION_SEED)
        plan = make_plan(controller, (seen,), ranked=False)
    return _made(untrained, controller, form, plan)


def _made(
    trained: Controller, controller: Controller, form: Format, plan: QuantizationPlan | Refusal | None
) -> Exported:
    made = make_artifact(form, controller, plan)
    if isinstance(made, Refusal):
        message = f"{form.name}: refused ({made.reason}): {made.detail}"
        if made.reason in (MissingExtraError.reason, MissingToolError.reason):
            raise MissingExtraError(message)
        raise FormatRefusedError(made.reason, message)
    assert not isinstance(plan, Refusal)  # which makes the artifact one
    return Exported(trained, controller, made, plan)
