"""What ``ltc-edge evaluate`` plays: task and controller of a run or a bundle, and what executes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ltc_edge.controller import Controller
from ltc_edge.evaluation.rollout import Policy, StepperPolicy
from ltc_edge.runtimes.reference import ReferenceBatch, ReferenceStepper
from ltc_edge.runtimes.stepper import Stepper

if TYPE_CHECKING:
    from ltc_edge.training.sources import Source

REFERENCE = "reference"
"""What executes a controller where nothing is said: float64 in NumPy."""


@dataclass(frozen=True, eq=False)
class Evaluated:
    """A controller to evaluate.

    Attributes:
        source: its task or recordings.
        controller: the controller.
        policy: what executes it, over many episodes.
        make_stepper: the same over one episode.
        sha256: of a bundle's manifest.
    """

    source: Source
    controller: Controller
    policy: Policy
    make_stepper: Callable[[], Stepper]
    sha256: str | None = None


def is_bundle(path: Path) -> bool:
    """Whether a folder is one of `ltc-edge export`, rather than of `ltc-edge train`."""
    return (path / "manifest.json").exists()


def open_run(run: Path, runtime: str) -> Evaluated:
    """What is in a run folder.

    Raises:
        InputError: it is no run folder, or a run has no such format.
        MissingExtraError: torch is wanted and not installed.
    """
    from ltc_edge.errors import InputError, require
    from ltc_edge.training.run_folder import RunFolder
    from ltc_edge.training.session import read_plan

    source = read_plan(run).source
    controller = RunFolder(run).controller()
    if runtime == REFERENCE:
        return _reference(source, controller)
    if runtime != "torch":
        raise InputError(
            f"{run}: is a run, which has no {runtime}; export it first: ltc-edge export {run} -o BUNDLE"
        )
    require("torch", "train")
    from ltc_edge.network import Network
    from ltc_edge.runtimes.torch_runtime import TorchBatch, TorchStepper

    network = Network(controller)
    return Evaluated(source, controller, TorchBatch(network), lambda: TorchStepper(controller))


def open_bundle(path: Path, runtime: str, target: str | None, *, trust_task: bool) -> Evaluated:
    """What is in a bundle.

    Raises:
        InputError: it is none, names no task, or names code that is not trusted.
        MissingExtraError: what runs the format is not installed.
    """
    from ltc_edge.bundle.bundle import load_bundle, names_code
    from ltc_edge.errors import InputError
    from ltc_edge.runtimes.exported import HOST

    bundle = load_bundle(path)
    source, controller = bundle.source(), bundle.controller
    if source is None:
        raise InputError(f"{path}: names no task; export it again with --task")
    if names_code(source) and not trust_task:
        raise InputError(f"{path}: {source.name} is code that the bundle names; --trust-task runs it")
    if runtime == REFERENCE:
        return _reference(source, controller, bundle.manifest_sha256())
    if runtime == "torch":
        raise InputError(f"{path}: a bundle holds nothing for torch; choose one of its formats")
    stepper = bundle.stepper(runtime, target or HOST)
    policy = StepperPolicy(stepper)
    return Evaluated(source, controller, policy, lambda: stepper, bundle.manifest_sha256())


def _reference(source: Source, controller: Controller, sha256: str | None = None) -> Evaluated:
    policy = ReferenceBatch(controller)
    return Evaluated(source, controller, policy, lambda: ReferenceStepper(controller), sha256)
