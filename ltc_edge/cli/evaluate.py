"""``ltc-edge evaluate``."""

from __future__ import annotations

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
    from ltc_edge.controller import Controller
    from ltc_edge.evaluation.rollout import Policy
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
    from ltc_edge.cli.evaluated import REFERENCE, is_bundle, open_bundle, open_run
    from ltc_edge.errors import CheckFailedError
    from ltc_edge.evaluation.closed_loop import evaluation_seeds
    from ltc_edge.training.sources import ClosedLoopSource

    _check_together(corrupt, rates, picture)
    if target is not None and not runtime.startswith("c-"):
        raise click.UsageError("--target runs formats in C: say --format c-int16 or --format c-float32 too")
    bundle = is_bundle(subject)
    evaluated = (
        open_bundle(subject, runtime, target, trust_task=trust_task) if bundle else open_run(subject, runtime)
    )
    source, controller, policy = evaluated.source, evaluated.controller, evaluated.policy

    def drawn_at(name: str) -> Path | None:
        return picture or (None if bundle else subject / name)

    failure = None
    place = f"{runtime}{f' on {target}' if target else ''}"
    path: Path | None
    if not isinstance(source, ClosedLoopSource):
        if corrupt is not None or rates is not None:
            option = "--rate" if corrupt is None else "--corrupt"
            raise click.UsageError(f"{option} plays control tasks in closed loop, and these are recordings")
        path = drawn_at("window.png")
        document = _recordings(source, controller, policy, path, quiet=as_json)
    elif corrupt is not None:
        path = drawn_at("corruption.png") if corrupt.kinds else None
        asked = Asked(corrupt, evaluation_seeds(episodes, seed), place, runtime != REFERENCE, path, as_json)
        document, failure = corrupted(source.load(), evaluated, asked)
    elif rates is not None:
        path = None
        document = played_at_rates(
            source.load(), evaluated, AskedRates(rates, evaluation_seeds(episodes, seed), place, as_json)
        )
        document |= {"subject": {"sha256": evaluated.sha256}}
    else:
        path = drawn_at("episode.png")
        document = _closed_loop(
            source, controller, policy, path, episodes=episodes, seed=seed, runtime=runtime, quiet=as_json
        )
    if as_json:
        about = {"run": str(subject), "format": runtime, "target": target}
        print_json(about | {"picture": None if path is None else str(path)} | document | _size(controller))
    elif path is not None:
        click.echo(f"Drawn: {path}")
    if failure is not None:
        raise CheckFailedError(failure)


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
    source: ClosedLoopSource,
    controller: Controller,
    policy: Policy,
    path: Path | None,
    *,
    episodes: int,
    seed: int,
    runtime: str,
    quiet: bool,
) -> dict[str, Any]:
    from ltc_edge.evaluation.closed_loop import evaluate_closed_loop
    from ltc_edge.evaluation.picture import draw_episode

    task = source.load()
    with progress_bar(f"{episodes} episodes") as on_share:
        report = evaluate_closed_loop(
            task, controller, episodes=episodes, seed=seed, policy=policy, on_share=on_share
        )
    if path is not None:
        title = f"{task.name}, seed {seed}: return {report.first.returns[0]:.5g}"
        draw_episode(controller, report.first, title, path)
    if not quiet:
        from rich.table import Table

        table = Table("", title=f"{task.name}, {runtime}, {episodes} episodes")
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
    source: DataSource, controller: Controller, policy: Policy, path: Path | None, *, quiet: bool
) -> dict[str, Any]:
    from ltc_edge.evaluation.picture import draw_window
    from ltc_edge.evaluation.recordings import evaluate_recordings

    data, _ = source.load()
    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    with progress_bar("test recordings") as on_share:
        report = evaluate_recordings(data, controller, policy=policy, on_share=on_share)
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
