"""The quantisation plan of what is exported, calibrated on whatever its controller is for."""

from __future__ import annotations

from collections.abc import Sequence

from ltc_edge.bundle import calibration as sources
from ltc_edge.controller import Controller
from ltc_edge.errors import FormatRefusedError
from ltc_edge.export.artifacts import Refusal
from ltc_edge.export.calibration import Sequences
from ltc_edge.export.formats import Format
from ltc_edge.export.plan import QuantizationPlan
from ltc_edge.export.quantize import make_plan
from ltc_edge.logs import Dataset
from ltc_edge.verification.task_trial import Loaded


def plan_formats(
    controller: Controller,
    loaded: Loaded | None,
    wanted: Sequence[Format],
    recording: Sequences | None = None,
    *,
    percentile: float = 100.0,
    ranked: bool = True,
    played_by: Controller | None = None,
) -> QuantizationPlan | Refusal | None:
    """The plan of the integer formats among those ``wanted``; None where there is none.

    Args:
        controller: as the hub has it.
        loaded: its task or recordings, to calibrate on; None for neither.
        wanted: what is exported.
        recording: the user's own, which comes before the task.
        percentile, ranked: see `make_plan`.
        played_by: who plays the task; ``controller`` where not given.

    Raises:
        InputError: the calibration cannot be used.
    """
    integer = next((form for form in wanted if form.arithmetic == "integer"), None)
    if integer is None:
        return None
    calibration = calibration_of(played_by or controller, loaded, recording)
    try:
        return make_plan(controller, calibration, percentile=percentile, ranked=ranked)
    except FormatRefusedError as refused:
        return Refusal(integer, refused.reason, str(refused))


def calibration_of(
    controller: Controller, loaded: Loaded | None, recording: Sequences | None
) -> tuple[Sequences, ...]:
    """What is calibrated on: ``controller`` in its task, or recordings, and made-up values."""
    if recording is not None:
        return recording, sources.from_excitation(controller, sources.values_of(recording))
    excited = sources.from_excitation(controller)
    if isinstance(loaded, Dataset):
        return sources.from_dataset(loaded), excited
    if loaded is not None:
        return sources.from_task(loaded, controller), excited
    return (excited,)
