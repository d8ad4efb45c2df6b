"""What ``ltc-edge sweep`` was asked for, from its options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import Finite, stack
from ltc_edge.cli.train import COUNT
from ltc_edge.errors import InputError, require

if TYPE_CHECKING:
    from pathlib import Path

    from ltc_edge.sweep.engines.engine import Engine
    from ltc_edge.sweep.engines.ray_options import RayOptions
    from ltc_edge.sweep.plan import SweepPlan

ENGINES = ("local", "ray")
SAMPLERS = ("nsga2", "tpe", "random")

VARIED = (
    "cell",
    "wiring",
    "units",
    "sparsity",
    "wiring_seed",
    "solver",
    "unfolds",
    "backbone_units",
    "mixed_memory",
    "linear_readout",
    "learning_rate",
    "format",
)
"""Options that take what may vary; the names of `ltc_edge.sweep.space.VARIABLES`."""

SHARED = ("rounds", "batch", "patience", "value_weight")
"""Options of training that all trials share."""

OF_THE_RUN = {"output", "resume", "as_json", "task", "trials", "storage", "workers", "engine", "pick"}
OF_RAY = {"address", "cpus", "memory", "gpus", "code"}
RESUMABLE = OF_THE_RUN | OF_RAY
"""What may be said together with --resume: everything else is in the folder."""

PICKABLE = {"output", "pick", "budget", "as_json"}
"""What may be said of a sweep that is there already."""

space_options = stack(
    [
        click.option("--cell", help="Cells to try, such as ltc,cfc."),
        click.option("--wiring", help="Of an LTC or CfC, such as ncp,dense."),
        click.option("--units", help="Neurons, such as 4:32 or 8,16."),
        click.option("--unfolds", help="Solver sub-steps a step of LTC and CT-RNN, such as 1:4."),
        click.option("--backbone-units", help="Of a dense CfC, such as 8:64."),
        click.option("--sparsity", help="Share of absent synapses of ncp and random, such as 0.3:0.8."),
        click.option("--wiring-seed", help="Seeds of the wiring, such as 0:9."),
        click.option("--solver", help="Of an LTC, such as fused,exponential-euler."),
        click.option("--mixed-memory", help="false, true or both: an LSTM memory before the cell."),
        click.option("--linear-readout", help="false, true or both: of an LTC, read all units."),
        click.option("--learning-rate", help="Of Adam, such as 1e-3:1e-2."),
        click.option("--format", help="Formats to export, such as c-float32,c-int16."),
    ]
)

goal_options = stack(
    [
        click.option("--budget", help="What must be kept, such as 'instructions<9000,flash<8192'."),
        click.option("--objectives", help="What to search for; return (or the metric),instructions,error."),
        click.option("--target", help="Processor that instructions and sizes are of; cortex-m4."),
        click.option("--device", help="Where p99_us is timed: local or ssh://user@host; local."),
        click.option("--episodes", type=click.IntRange(2, 100_000), help="Of a trial's closed loop; 20."),
        click.option("--proxy", is_flag=True, default=None,
                     help="Search by estimates of costs, then measure the best for real."),
        click.option("--rounds", type=COUNT, help="Of training, at most; as the task's."),
        click.option("--batch", type=COUNT, help="Windows an optimiser step sees; as the task's."),
        click.option("--patience", type=COUNT, help="Epochs without progress, of recordings; as the task's."),
        click.option("--value-weight", type=Finite(0.0, 1e6), help="As of `ltc-edge train`."),
    ]
)  # fmt: skip

search_options = stack(
    [
        click.option("--trials", type=click.IntRange(1, 1_000_000), help="Points of the space to try; 40."),
        click.option("--seeds", type=click.IntRange(1, 100), help="Trainings of each; 2."),
        click.option("--sampler", type=click.Choice(SAMPLERS), help="Who proposes points; nsga2."),
        click.option("--seed", type=click.IntRange(0, 2**31), help="Of what the sampler draws; 0."),
        click.option("--population", type=click.IntRange(2, 1_000_000), help="Of NSGA-II; 10."),
        click.option("--lookahead", type=click.IntRange(1, 10_000), help="Trials under way at most; 8."),
        click.option("--give-up", type=Finite(0.0, 100.0),
                     help="Give up what trains worse than so many % of its cheaper peers; 50, 0 never."),
        click.option("--storage", help="URL of an Optuna storage, such as postgresql://user@host/sweeps."),
    ]
)  # fmt: skip

engine_options = stack(
    [
        click.option("--workers", type=click.IntRange(1, 100_000), help="Replicates at once; one a core."),
        click.option("--engine", type=click.Choice(ENGINES), default="local", show_default=True,
                     help="What does the work: processes here, or a Ray cluster."),
        click.option("--address", help="Of a Ray cluster, auto or host:port; else Ray on this machine."),
        click.option("--cpus", type=Finite(0.0, min_open=True), help="Ray: cores of a replicate; 1."),
        click.option("--memory", type=COUNT, help="Ray: MiB of a replicate; 1024."),
        click.option("--gpus", type=Finite(0.0), help="Ray: GPUs of a replicate; 0."),
        click.option("--code", type=click.Choice(["ship", "installed"]),
                     help="Ray: send this ltc-edge to the nodes, or they have it installed; ship."),
    ]
)  # fmt: skip


def check_engine(said: Mapping[str, Any]) -> None:
    """Refuse an engine that cannot be made, as far as that is known before anything begins.

    Raises:
        InputError: something is said of an engine that is not asked for, or makes no sense.
        MissingExtraError: the engine is not installed.
    """
    if said["engine"] == "ray":
        require("ray", "cluster")
        _ray_options(said)
        return
    stray = [f"--{name}" for name in sorted(OF_RAY) if said[name] is not None]
    if stray:
        raise InputError(f"{', '.join(stray)} is for --engine ray; leave it out, or say that too")


def plan_of(said: Mapping[str, Any]) -> SweepPlan:
    """The plan for the options ``said``; None means not said.

    Raises:
        LtcEdgeError: something is unknown, contradicts something else, or is not on this machine.
    """
    from ltc_edge.sweep.budget import Budget, read_budget
    from ltc_edge.sweep.measurement import MeasurementPlan, actions_of, default_objectives
    from ltc_edge.sweep.objectives import read_objectives
    from ltc_edge.sweep.plan import SweepPlan
    from ltc_edge.sweep.space import make_space
    from ltc_edge.sweep.storage import without_password
    from ltc_edge.sweep.tools import check_tools
    from ltc_edge.training.choose import choose_source

    budget = read_budget(said["budget"]) if said["budget"] is not None else Budget()
    names = None
    if said["objectives"] is not None:
        names = tuple(objective.name for objective in read_objectives(said["objectives"]))
    storage = None if said["storage"] is None else without_password(said["storage"])
    source = choose_source(said)
    measure = MeasurementPlan(
        source,
        training={name: said[name] for name in SHARED if said[name] is not None},
        objectives=names or default_objectives(source),
        budget=budget,
        **_given(said, "target", "device", "episodes", "proxy"),
    )
    varied = {name: said[name] for name in VARIED if said[name] is not None}
    space = make_space(source, actions_of(source), varied)
    plan = SweepPlan(
        measure,
        space,
        storage=storage,
        **_given(said, "trials", "seeds", "sampler", "seed", "population", "lookahead", "give_up"),
    )
    check_tools(measure, space.formats)
    return plan


def _given(said: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: said[name] for name in names if said[name] is not None}


def storage_of(plan: SweepPlan, said: str | None) -> str | None:
    """The storage URL to open: that of the plan, with the password of what is ``said``.

    Raises:
        InputError: another storage is said.
    """
    from ltc_edge.sweep.storage import without_password

    if said is None:
        return plan.storage
    if without_password(said) != plan.storage:
        where = plan.storage or "a journal in its folder"
        raise InputError(f"--storage: the study of this sweep is in {where}")
    return said


def make_engine(said: Mapping[str, Any], plan: SweepPlan, trials: Path) -> Engine:
    """What carries out the work, as ``said``.

    Raises:
        LtcEdgeError: it cannot be had.
    """
    if said["engine"] == "ray":
        from ltc_edge.sweep.engines.ray import RayEngine
        from ltc_edge.sweep.engines.sent_files import files_of

        options = _ray_options(said)
        files = files_of(plan.measure.source) if options.code == "ship" else ()
        return RayEngine(trials, dataclasses.replace(options, files=files))
    from ltc_edge.sweep.engines.processes import Processes, usable_cores

    return Processes(trials, said["workers"] or usable_cores())


def _ray_options(said: Mapping[str, Any]) -> RayOptions:
    from ltc_edge.sweep.engines.ray_options import RayOptions

    return RayOptions(
        **({} if said["memory"] is None else {"memory": said["memory"] << 20}),
        **_given(said, "address", "workers", "cpus", "gpus", "code"),
    )
