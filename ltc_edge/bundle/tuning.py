"""``ltc-edge export --solver --unfolds --finetune``: a controller that is changed after its training."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ltc_edge.bundle.quantization import calibration_of
from ltc_edge.bundle.subject import Subject, subject_of
from ltc_edge.cells.spec import BOUNDED_SOLVERS, CellSpec, CTRNNSpec, LTCSpec, MixedMemorySpec, Solver
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError, require
from ltc_edge.export.calibration import Sequences
from ltc_edge.logs import Dataset
from ltc_edge.training.judgement import Judgement
from ltc_edge.verification.task_trial import Loaded


@dataclass(frozen=True)
class TuningOptions:
    """What the user asked to be changed.

    Attributes:
        solver: of an LTC; None for the one it was trained with.
        unfolds: of an LTC or CT-RNN; None for as many as it was trained with.
        finetune: whether to win back what the change, and integers, cost.
        seed: of the fine-tuning.
    """

    solver: Solver | None = None
    unfolds: int | None = None
    finetune: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Phase:
    """One phase of fine-tuning, for reports.

    Attributes:
        goal: ``solver``, or ``integers``.
        seconds: how long it took.
        updates: optimiser steps.
        before, after: how far from the trained controller it was.
        noise: of integers, what of ``before.errors`` is noise of their grid; else None.
    """

    goal: str
    seconds: float
    updates: int
    before: Judgement
    after: Judgement
    noise: Mapping[str, float] | None

    def to_json(self) -> dict[str, Any]:
        """For the manifest, without the time it took: the same export gives the same bytes."""
        return {
            "goal": self.goal,
            "updates": self.updates,
            "before": dataclasses.asdict(self.before),
            "after": dataclasses.asdict(self.after),
            "noise": None if self.noise is None else dict(self.noise),
        }


@dataclass(frozen=True, eq=False)
class Change:
    """What was changed.

    Attributes:
        trained: the controller as it was.
        solver, unfolds: before and after; None where the cell has none.
        phases: of fine-tuning, in their order.
    """

    trained: Controller
    solver: tuple[str, str] | None
    unfolds: tuple[int, int] | None
    phases: tuple[Phase, ...] = ()

    def provenance(self) -> dict[str, str]:
        """What was done, for the controller's own records."""
        told = {}
        if self.solver is not None and self.unfolds is not None and self.is_other_solver:
            told["solver_changed"] = (
                f"from {self.solver[0]} with {self.unfolds[0]} sub-steps to {self.solver[1]} with "
                f"{self.unfolds[1]}, after training"
            )
        elif self.unfolds is not None and self.is_other_solver:
            told["solver_changed"] = f"from {self.unfolds[0]} sub-steps to {self.unfolds[1]}, after training"
        trained = [phase for phase in self.phases if phase.updates]
        if trained:
            goals = " and ".join(phase.goal for phase in trained)
            told["finetuned"] = f"for {goals}, {sum(phase.updates for phase in trained)} updates"
        return told

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""

        def pair(values: tuple[Any, Any] | None) -> dict[str, Any] | None:
            return None if values is None else {"before": values[0], "after": values[1]}

        return {
            "solver": pair(self.solver),
            "unfolds": pair(self.unfolds),
            "finetuned": [phase.to_json() for phase in self.phases],
        }

    @property
    def played_by(self) -> Controller | None:
        """Who plays for the calibration, where integers were trained: the same as in training.

        Another calibration rounds weights in another way, and what was learnt about these would be lost.
        """
        learnt = any(phase.goal == "integers" and phase.updates for phase in self.phases)
        return self.trained if learnt else None

    @property
    def is_other_solver(self) -> bool:
        """Whether solver or sub-steps are not those of the training."""
        pairs = (self.solver, self.unfolds)
        return any(pair is not None and pair[0] != pair[1] for pair in pairs)


def tune(
    subject: Subject,
    loaded: Loaded | None,
    recording: Sequences | None,
    options: TuningOptions,
    *,
    integers: bool,
    on_share: Callable[[str, float], None] = lambda _, __: None,
) -> tuple[Subject, Change | None]:
    """Change a controller as asked.

    Args:
        subject: what was trained.
        loaded: its task or recordings, where they are here.
        recording: the user's own, in their place.
        options: what to change.
        integers: whether a format in integers is wanted, for which fine-tuning then also prepares it.
        on_share: told what is being done, and the share of it that is.

    Returns:
        The changed subject and what was changed, or the same subject and None.

    Raises:
        InputError: the cell has nothing of the kind, or there is nothing to fine-tune on, or for.
        TrainingDivergedError: a loss became non-finite.
    """
    trained = subject.trained
    changed, change = _with_solver(trained, options)
    if not options.finetune:
        return (subject, None) if changed is trained else (_subject(subject, changed, change), change)
    goals = ["solver"] if changed is not trained else []
    goals += (
        ["integers"]
        if integers and _has_integers(trained.cell if changed is trained else changed.cell)
        else []
    )
    if not goals:
        raise InputError(
            "--finetune has nothing to win back: change --solver or --unfolds, or ask for an integer format"
        )
    tuned, phases = _finetuned(trained, changed, loaded, recording, goals, options.seed, on_share)
    change = dataclasses.replace(change, phases=phases)
    return _subject(subject, tuned, change), change


def _subject(subject: Subject, controller: Controller, change: Change) -> Subject:
    """``controller`` with what was done to it in its provenance, so that every file can tell."""
    told = dict(controller.provenance) | change.provenance()
    return subject_of(dataclasses.replace(controller, provenance=told), subject.source)


def _with_solver(controller: Controller, options: TuningOptions) -> tuple[Controller, Change]:
    """The same parameters with another solver; the controller itself where nothing changes."""
    spec = controller.cell
    inner = spec.cell if isinstance(spec, MixedMemorySpec) else spec
    if options.solver is not None and not isinstance(inner, LTCSpec):
        raise InputError(f"--solver is for an LTC; a {spec.kind} has no solver to change")
    if options.unfolds is not None and not isinstance(inner, LTCSpec | CTRNNSpec):
        raise InputError(f"--unfolds is for an LTC or a CT-RNN; a {spec.kind} has no sub-steps to change")
    if not isinstance(inner, LTCSpec | CTRNNSpec):
        return controller, Change(controller, None, None)
    wanted: dict[str, Any] = {"unfolds": inner.unfolds if options.unfolds is None else options.unfolds}
    solver = None
    if isinstance(inner, LTCSpec):
        wanted["solver"] = options.solver or inner.solver
        solver = inner.solver, wanted["solver"]
    change = Change(controller, solver, (inner.unfolds, wanted["unfolds"]))
    replaced = dataclasses.replace(inner, **wanted)
    cell: CellSpec = replaced
    if isinstance(spec, MixedMemorySpec):
        cell = dataclasses.replace(spec, cell=replaced)
    if all(getattr(inner, name) == value for name, value in wanted.items()):
        return controller, change
    return dataclasses.replace(controller, cell=cell), change


def _has_integers(spec: CellSpec) -> bool:
    inner = spec.cell if isinstance(spec, MixedMemorySpec) else spec
    return not isinstance(inner, LTCSpec) or inner.solver in BOUNDED_SOLVERS


def _finetuned(
    trained: Controller,
    changed: Controller,
    loaded: Loaded | None,
    recording: Sequences | None,
    goals: list[str],
    seed: int,
    on_share: Callable[[str, float], None],
) -> tuple[Controller, tuple[Phase, ...]]:
    torch = require("torch", "train")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # tensors this small need one, and the same number gives the same bits
    try:
        from ltc_edge.bundle.lessons import make_lessons
        from ltc_edge.training.finetuning import Judge, finetune_phase
        from ltc_edge.training.practice import Teacher

        on_share("fine-tuning", 0.0)
        teacher = Teacher(trained)
        lessons = make_lessons(teacher, loaded, recording)
        task = None if recording is not None or isinstance(loaded, Dataset) else loaded
        judge = Judge(teacher, lessons.held_out, task)
        controller, phases = changed, []
        for goal in goals:
            stage = f"fine-tuning: {goal}"
            started = time.monotonic()
            calibration = calibration_of(trained, loaded, recording) if goal == "integers" else None
            tuned = finetune_phase(
                goal,
                controller,
                teacher,
                lessons.practice,
                judge,
                task,
                seed,
                partial(on_share, stage),
                calibration=calibration,
            )
            controller = tuned.controller
            seconds = time.monotonic() - started
            phases.append(Phase(goal, seconds, tuned.updates, tuned.before, tuned.after, tuned.noise))
        return controller, tuple(phases)
    finally:
        torch.set_num_threads(threads)
