"""A training run from its plan to its summary."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ltc_edge.controller import Controller
from ltc_edge.controller_file import load_controller, save_controller
from ltc_edge.errors import ControllerFileError, InputError, OutputError, require
from ltc_edge.files import create_folder
from ltc_edge.training.loop import Method, Outcome, Progress, run_rounds
from ltc_edge.training.options import (
    ImitationOptions,
    ModelOptions,
    PredictionOptions,
    RefinementOptions,
    from_json,
)
from ltc_edge.training.run_folder import RunFolder
from ltc_edge.training.sources import ClosedLoopSource, Source, source_from_json, source_to_json

Options = ImitationOptions | PredictionOptions | RefinementOptions

_METHODS: dict[str, type[Options]] = {
    "imitation": ImitationOptions,
    "prediction": PredictionOptions,
    "refinement": RefinementOptions,
}


@dataclass(frozen=True)
class Plan:
    """What to train.

    Attributes:
        source: task or recordings.
        options: of the method; their type says which.
        model: the network; None where ``start`` gives one.
        start: file of a controller to go on from.
        seed: of weights, episodes and shuffling.
        threads: of torch; the same number gives the same bits.
    """

    source: Source
    options: Options
    model: ModelOptions | None
    start: str | None = None
    seed: int = 0
    threads: int = 1

    def to_json(self) -> dict[str, Any]:
        """A JSON document from which `from_json` makes an equal plan."""
        method = next(name for name, kind in _METHODS.items() if isinstance(self.options, kind))
        return {
            "source": source_to_json(self.source),
            "method": method,
            "options": dataclasses.asdict(self.options),
            "model": None if self.model is None else dataclasses.asdict(self.model),
            "start": self.start,
            "seed": self.seed,
            "threads": self.threads,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any], where: Path) -> Plan:
        """The plan that `to_json` wrote.

        Raises:
            ControllerFileError: a field is missing or unknown.
        """
        try:
            model = document["model"]
            return cls(
                source=source_from_json(document["source"], where),
                options=from_json(_METHODS[document["method"]], document["options"]),
                model=None if model is None else from_json(ModelOptions, model),
                start=document["start"],
                seed=int(document["seed"]),
                threads=int(document["threads"]),
            )
        except ControllerFileError:
            raise
        except (InputError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise ControllerFileError(f"{where}: the plan of the run is unreadable ({error})") from None


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a plan asks for before its first round.

    Attributes:
        subject: what ``plan.source.load()`` gave.
        initial: the untrained controller.
    """

    subject: Any
    initial: Controller


def prepare(plan: Plan, subject: Any = None) -> Prepared:
    """Load what ``plan`` needs, and draw its untrained controller.

    Args:
        plan: what is to be trained.
        subject: what its source was loaded to, where somebody has that already.

    Raises:
        LtcEdgeError: the plan cannot be carried out.
    """
    _use_threads(plan.threads)
    loaded = plan.source.load() if subject is None else subject
    return Prepared(loaded, _initial_controller(plan, loaded))


def start_run(
    plan: Plan,
    path: Path,
    progress: Progress,
    *,
    force: bool = False,
    prepared: Prepared | None = None,
    drawn: bool = True,
) -> dict[str, Any]:
    """Train ``plan`` into the new folder ``path``; returns the summary.

    Nothing is left behind where the run fails before its first round is complete.

    Args:
        plan: what to train.
        path: of the run folder.
        progress: who watches, and may stop the run with `TrainingStoppedError`.
        force: replace a run in the folder.
        prepared: what `prepare` gave for ``plan``, where somebody has that already.
        drawn: whether to draw the learning curve, which takes half a second.

    Raises:
        OutputError: the folder exists already (without ``force``) or cannot be written.
        LtcEdgeError: the plan cannot be carried out.
    """
    _refuse_existing(path, force)
    prepared = prepared or prepare(plan)
    subject, initial = prepared.subject, prepared.initial
    method = _make_method(plan, subject, initial)
    create_folder(path, force=force)
    folder = RunFolder(path)
    try:
        folder.write_config(plan.to_json())
        save_controller(initial, folder.initial_file)
        return _finish(folder, plan, subject, run_rounds(folder, method, progress), drawn=drawn)
    except Exception:
        if folder.checkpoint() is None:
            shutil.rmtree(path, ignore_errors=True)
        raise


def resume_run(path: Path, progress: Progress, *, subject: Any = None, drawn: bool = True) -> dict[str, Any]:
    """Go on with the run in ``path`` from its last checkpoint; returns the summary.

    Args:
        path: of the run folder.
        progress: as in `start_run`.
        subject: what its source was loaded to, where somebody has that already.
        drawn: as in `start_run`.

    Raises:
        ControllerFileError: ``path`` is not a run, or is damaged.
        LtcEdgeError: the run cannot go on.
    """
    folder = RunFolder(path)
    plan = Plan.from_json(folder.config(), path / "config.json")
    finished = folder.summary()
    if finished is not None:
        return finished
    _use_threads(plan.threads)
    subject = plan.source.load() if subject is None else subject
    method = _make_method(plan, subject, load_controller(folder.initial_file))
    return _finish(folder, plan, subject, run_rounds(folder, method, progress), drawn=drawn)


def read_plan(path: Path) -> Plan:
    """The plan of the run in ``path``.

    Raises:
        ControllerFileError: ``path`` is not a run, or is damaged.
    """
    return Plan.from_json(RunFolder(path).config(), path / "config.json")


def _refuse_existing(path: Path, force: bool) -> None:
    """Refuse early: a wrong output folder must not cost the user a training run, nor somebody's files."""
    if not path.is_dir() or not any(path.iterdir()):
        return
    if not force:
        raise OutputError(
            f"{path}: exists already; choose another with -o, go on with --resume, or use --force"
        )
    try:
        RunFolder(path).config()
    except ControllerFileError:
        raise OutputError(
            f"{path}: is not a run folder, so --force does not replace it; choose another with -o"
        ) from None


def _use_threads(threads: int) -> None:
    require("torch", "train").set_num_threads(threads)


def _initial_controller(plan: Plan, subject: Any) -> Controller:
    from ltc_edge.training.initial import controller_for_data, controller_for_task

    if plan.start is not None:
        return _started_from(plan, subject, load_controller(Path(plan.start)))
    if plan.model is None:
        raise InputError("the plan names neither a network nor a controller to start from")
    if isinstance(plan.source, ClosedLoopSource):
        noise = plan.options.expert_noise if isinstance(plan.options, ImitationOptions) else 0.0
        return controller_for_task(subject, plan.model, noise, plan.seed)
    data, units = subject
    return controller_for_data(data, plan.model, plan.source.name, plan.seed, units)


def _started_from(plan: Plan, subject: Any, controller: Controller) -> Controller:
    """``controller``, once it is known to fit the task."""
    if isinstance(plan.source, ClosedLoopSource):
        wanted = tuple(s.name for s in subject.observations), tuple(s.name for s in subject.actions)
    else:
        wanted = subject[0].input_names, ()
    found = tuple(s.name for s in controller.observations), tuple(s.name for s in controller.actions)
    if found[0] != wanted[0] or (wanted[1] and found[1] != wanted[1]):
        raise InputError(
            f"{plan.start}: reads {', '.join(found[0])} and drives {', '.join(found[1])}, "
            f"which does not fit {plan.source.name} ({', '.join(wanted[0])})"
        )
    return controller


def _make_method(plan: Plan, subject: Any, initial: Controller) -> Method:
    options = plan.options
    if isinstance(options, ImitationOptions):
        from ltc_edge.training.imitation import Imitation

        return Imitation(subject, initial, options, plan.seed)
    if isinstance(options, RefinementOptions):
        from ltc_edge.training.refinement import Refinement

        return Refinement(subject, initial, options, plan.seed)
    from ltc_edge.training.prediction import Prediction

    return Prediction(subject[0], initial, options, plan.seed)


def _finish(folder: RunFolder, plan: Plan, subject: Any, outcome: Outcome, *, drawn: bool) -> dict[str, Any]:
    controller = folder.controller()
    memory: dict[str, Any] = {}
    if isinstance(plan.source, ClosedLoopSource):
        metric, column, value = "return", "return", outcome.best
    else:
        from ltc_edge.network import Network
        from ltc_edge.training.memory_advice import advise
        from ltc_edge.training.prediction import score

        data = subject[0]
        metric, column = data.metric, f"validation_{data.metric}"
        value = score(Network(controller), data, data.test.segments)
        memory = {"memory": advise(data, controller, outcome.best).to_json(data)}
    if drawn:
        from ltc_edge.training.curve import draw_learning_curve

        draw_learning_curve(
            outcome.history, column, f"{controller.name}: {folder.path.name}", folder.learning_curve
        )
    summary = {
        "run": str(folder.path),
        "task": plan.source.name,
        "cell": controller.cell.kind,
        "units": controller.cell.units,
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
        "rounds": len(outcome.history),
        "best_round": outcome.best_round,
        "seconds": outcome.history[-1]["seconds"],
        "metric": metric,
        "value": value,
        "validation": outcome.best,
        **memory,
    }
    folder.finish(summary)
    return summary
