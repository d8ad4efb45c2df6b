"""``ltc-edge evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.options import FILE, json_option
from ltc_edge.cli.output import console, print_json, progress_bar

if TYPE_CHECKING:
    from ltc_edge.controller import Controller
    from ltc_edge.evaluation.statistics import ReturnStatistics
    from ltc_edge.training.sources import ClosedLoopSource, DataSource


@click.command("evaluate")
@click.argument("run", type=FILE)
@click.option(
    "--episodes", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Of a control task."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the first episode."
)
@click.option(
    "--format",
    "runtime",
    type=click.Choice(["reference", "torch"]),
    default="reference",
    show_default=True,
    help="What executes the controller: float64 NumPy, or torch.",
)
@click.option("--picture", type=FILE, help="Where to draw one episode; RUN/episode.png.")
@json_option
def command(run: Path, episodes: int, seed: int, runtime: str, picture: Path | None, as_json: bool) -> None:
    """Measure the controller of RUN on its task: on episodes or test recordings that training never saw.

    Control tasks are played with the controller, its expert, and the zero controller on the same seeds.
    """
    from ltc_edge.training.run_folder import RunFolder
    from ltc_edge.training.session import read_plan
    from ltc_edge.training.sources import ClosedLoopSource

    source = read_plan(run).source
    controller = RunFolder(run).controller()
    if isinstance(source, ClosedLoopSource):
        path = picture or run / "episode.png"
        document = _closed_loop(
            source, controller, path, episodes=episodes, seed=seed, runtime=runtime, quiet=as_json
        )
    else:
        path = picture or run / "window.png"
        document = _recordings(source, controller, path, runtime=runtime, quiet=as_json)
    if as_json:
        print_json({"run": str(run), "format": runtime, "picture": str(path), **document})
    else:
        click.echo(f"Drawn: {path}")


def _closed_loop(
    source: ClosedLoopSource,
    controller: Controller,
    path: Path,
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
            task, controller, episodes=episodes, seed=seed, runtime=runtime, on_share=on_share
        )
    draw_episode(
        controller, report.first, f"{task.name}, seed {seed}: return {report.first.returns[0]:.5g}", path
    )
    if not quiet:
        from rich.table import Table

        table = Table("", title=f"{task.name}, {episodes} episodes")
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
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
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
    source: DataSource, controller: Controller, path: Path, *, runtime: str, quiet: bool
) -> dict[str, Any]:
    from ltc_edge.evaluation.picture import draw_window
    from ltc_edge.evaluation.recordings import evaluate_recordings

    data, _ = source.load()
    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    with progress_bar("test recordings") as on_share:
        report = evaluate_recordings(data, controller, runtime=runtime, on_share=on_share)
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
        "parameters_effective": controller.parameters_effective(),
        "parameters_dense": controller.parameters_dense(),
    }
