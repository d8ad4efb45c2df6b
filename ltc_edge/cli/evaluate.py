"""``ltc-edge evaluate``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.corruption import Asked, Chosen, chosen_corruption, corrupted
from ltc_edge.cli.options import FILE, json_option, trust_task_option
from ltc_edge.cli.output import console, print_json, progress_bar
from ltc_edge.cli.rates import AskedRates, chosen_rates, played_at_rates
from ltc_edge.evaluation.corruption.pack import PACK
from ltc_edge.export.formats import FORMATS

if TYPE_CHECKING:
    from ltc_edge.cli.evaluated import Evaluated
    from ltc_edge.controller import Controller
    from ltc_edge.evaluation.statistics import ReturnStatistics
    from ltc_edge.training.sources import ClosedLoopSource, DataSource

RUNTIMES = ("reference", "torch")


@click.command("evaluate")
@click.argument("subject", metavar="RUN|BUNDLE", type=FILE)
@click.option(
    "--episodes", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Of a control task."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first episode."
)
@click.option(
    "--format",
    "runtime",
    type=click.Choice([*RUNTIMES, *FORMATS]),
    default="reference",
    show_default=True,
    help="What executes the controller: float64 NumPy, torch (runs), or a file of the bundle.",
)
@click.option(
    "--target",
    metavar="TARGET",
    help="With a format in C: emulate this processor (`ltc-edge targets`, or a .toml file), or run the board "
    "at serial:PORT.",
)
@click.option(
    "--corrupt",
    metavar="all|faults|KIND[,KIND…]",
    callback=chosen_corruption,
    help="Play with corrupted sensors, actuators, timing and plants: every kind of the pack at 5 severities, "
    f"some of them ({', '.join(PACK.names)}), or the faults that status bits answer.",
)
@click.option(
    "--rate",
    "rates",
    metavar="HZ[,HZ…]",
    callback=chosen_rates,
    help="Play in loops of these rates instead of the native one, and say what that costs.",
)
@click.option(
    "--picture",
    type=FILE,
    help="Where to draw one episode, or the curves of --corrupt; in RUN, for bundles nowhere.",
)
@trust_task_option
@json_option
def command(
    subject: Path,
    episodes: int,
    seed: int,
    runtime: str,
    target: str | None,
    corrupt: Chosen | None,
    rates: tuple[float, ...] | None,
    picture: Path | None,
    trust_task: bool,
    as_json: bool,
) -> None:
    """Measure a controller on its task: on episodes or test recordings that training never saw.

    RUN is a folder of `ltc-edge train`, BUNDLE one of `ltc-edge export`. Control tasks are played with the
    controller, its expert, and the zero controller on the same seeds. With --corrupt faults, exit code 1 says
    that one is not answered as it must be.
    """
    from ltc_edge.cli.evaluated import is_bundle, open_bundle, open_run
    from ltc_edge.errors import CheckFailedError

    _check_together(corrupt, rates, picture)
    if target is not None and not runtime.startswith("c-"):
        raise click.UsageError("--target runs formats in C: say --format c-int16 or --format c-float32 too")
    bundle = is_bundle(subject)
    evaluated = (
        open_bundle(subject, runtime, target, trust_task=trust_task) if bundle else open_run(subject, runtime)
    )
    place = f"{runtime}{f' on {target}' if target else ''}"
    folder = None if bundle else subject
    asked = _Asked(episodes, seed, runtime, place, corrupt, rates, picture, folder, as_json)
    found = _evaluate(evaluated, asked)
    if as_json:
        drawn = None if found.picture is None else str(found.picture)
        about = {"run": str(subject), "format": runtime, "target": target, "picture": drawn}
        print_json(about | found.document | _size(evaluated.controller))
    elif found.picture is not None:
        click.echo(f"Drawn: {found.picture}")
    if found.failure is not None:
        raise CheckFailedError(found.failure)


@dataclass(frozen=True)
class _Asked:
    """What the command line asks for.

    Attributes:
        episodes, seed: of a control task.
        runtime: what executes the controller.
        place: the same for people, with the target.
        corrupt, rates: what is played in the place of the plain task, if anything.
        picture: where to draw; where None, in ``folder`` by the picture's own name.
        folder: of a run; None for bundles, which hold their own files only.
        quiet: without tables.
    """

    episodes: int
    seed: int
    runtime: str
    place: str
    corrupt: Chosen | None
    rates: tuple[float, ...] | None
    picture: Path | None
    folder: Path | None
    quiet: bool

    def drawn_at(self, name: str) -> Path | None:
        """Where a picture goes, if anywhere."""
        return self.picture or (None if self.folder is None else self.folder / name)


@dataclass(frozen=True)
class _Found:
    """Attributes: ``document`` for --json, the ``picture`` that was drawn, and what is a ``failure``."""

    document: dict[str, Any]
    picture: Path | None = None
    failure: str | None = None


def _evaluate(evaluated: Evaluated, asked: _Asked) -> _Found:
    """Do what is asked for, and print tables."""
    from ltc_edge.cli.evaluated import REFERENCE
    from ltc_edge.evaluation.closed_loop import evaluation_seeds
    from ltc_edge.training.sources import ClosedLoopSource

    source, seeds = evaluated.source, evaluation_seeds(asked.episodes, asked.seed)
    if not isinstance(source, ClosedLoopSource):
        if asked.corrupt is not None or asked.rates is not None:
            option = "--rate" if asked.corrupt is None else "--corrupt"
            raise click.UsageError(f"{option} plays control tasks in closed loop, and these are recordings")
        path = asked.drawn_at("window.png")
        return _Found(_recordings(source, evaluated, path, quiet=asked.quiet), path)
    if asked.corrupt is not None:
        path = asked.drawn_at("corruption.png") if asked.corrupt.kinds else None
        reference = asked.runtime != REFERENCE
        how = Asked(asked.corrupt, seeds, asked.place, reference, path, asked.quiet)
        document, failure = corrupted(source.load(), evaluated, how)
        return _Found(document, path, failure)
    if asked.rates is not None:
        rated = AskedRates(asked.rates, seeds, asked.place, asked.quiet)
        document = played_at_rates(source.load(), evaluated, rated)
        return _Found(document | {"subject": {"sha256": evaluated.sha256}})
    path = asked.drawn_at("episode.png")
    return _Found(_closed_loop(source, evaluated, path, asked), path)


def _check_together(corrupt: Chosen | None, rates: tuple[float, ...] | None, picture: Path | None) -> None:
    if rates is not None and corrupt is not None:
        raise click.UsageError("--rate and --corrupt are played one at a time")
    if rates is not None and picture is not None:
        raise click.UsageError("--picture draws nothing of --rate; `ltc-edge report --rates` shows it")
    if corrupt is not None and picture is not None and not corrupt.kinds:
        raise click.UsageError("--picture draws severity curves, and --corrupt faults has none")


def _size(controller: Controller) -> dict[str, int]:
    return {
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
    }


def _closed_loop(
    source: ClosedLoopSource, evaluated: Evaluated, path: Path | None, asked: _Asked
) -> dict[str, Any]:
    from ltc_edge.evaluation.closed_loop import evaluate_closed_loop
    from ltc_edge.evaluation.picture import draw_episode

    task, controller, episodes = source.load(), evaluated.controller, asked.episodes
    with progress_bar(f"{episodes} episodes") as on_share:
        report = evaluate_closed_loop(
            task, controller, episodes=episodes, seed=asked.seed, policy=evaluated.policy, on_share=on_share
        )
    if path is not None:
        title = f"{task.name}, seed {asked.seed}: return {report.first.returns[0]:.5g}"
        draw_episode(controller, report.first, title, path)
    if not asked.quiet:
        from rich.table import Table

        table = Table("", title=f"{task.name}, {asked.runtime}, {episodes} episodes")
        for heading in ("mean return", "std", "95 % interval of the mean", "worst"):
            table.add_column(heading, justify="right")
        for name in ("controller", "expert", "zero"):
            table.add_row(name if name != "zero" else "zero controller", *_row(getattr(report, name)))
        console().print(table)
        console().print(f"{controller.parameters_effective()} parameters ({controller.cell.kind})")
    return {
        "episodes": episodes,
        "return_mean": report.controller.mean,
        "return_std": report.controller.std,
        "return_ci95": list(report.controller.ci95),
        "return_worst": report.controller.lowest,
        "expert_return_mean": report.expert.mean,
        "zero_return_mean": report.zero.mean,
    }


def _row(statistics: ReturnStatistics) -> tuple[str, ...]:
    low, high = statistics.ci95
    return (
        f"{statistics.mean:.2f}",
        f"{statistics.std:.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{statistics.lowest:.2f}",
    )


def _recordings(
    source: DataSource, evaluated: Evaluated, path: Path | None, *, quiet: bool
) -> dict[str, Any]:
    from ltc_edge.evaluation.picture import draw_window
    from ltc_edge.evaluation.recordings import evaluate_recordings

    data, _ = source.load()
    controller = evaluated.controller
    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    with progress_bar("test recordings") as on_share:
        report = evaluate_recordings(data, controller, policy=evaluated.policy, on_share=on_share)
    if path is not None:
        draw_window(controller, report, f"{controller.name}: first test window", path)
    if not quiet:
        click.echo(
            f"{report.metric} {report.value:.5g} on {report.samples} test rows "
            f"(a constant guess: {report.baseline:.5g}); {controller.parameters_effective()} parameters"
        )
    return {
        "metric": report.metric,
        "value": report.value,
        "samples": report.samples,
        "baseline": report.baseline,
    }
