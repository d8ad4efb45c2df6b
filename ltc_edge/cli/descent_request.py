"""What ``ltc-edge descent`` was asked for: windows, models, and which of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.errors import InputError, require
from ltc_edge.evaluation.descent.outcome import Settings
from ltc_edge.evaluation.descent.subject import Subject, check_enough, make_subject
from ltc_edge.evaluation.descent.sweep import Grid

if TYPE_CHECKING:
    from ltc_edge.training.sources import Source

DEFAULT_WINDOW = 8
FEWEST_SEEDS = 5
NETWORK_SETTINGS = ("updates", "learning_rate", "unfolds")
OF_RECORDINGS = ("data", "inputs", "targets", "time", "kind", "period", "validation", "test", "data_dir")


@dataclass(frozen=True, eq=False)
class Asked:
    """A sweep to make."""

    subject: Subject
    settings: Settings
    grid: Grid


def refuse_inert(context: click.Context, cell: str) -> None:
    """Refuse options that a model of this kind would not read."""
    read: tuple[str, ...] = () if cell == "random-features" else NETWORK_SETTINGS
    if cell not in ("random-features", "ltc", "ctrnn"):
        read = tuple(name for name in NETWORK_SETTINGS if name != "unfolds")
    inert = [
        f"--{name.replace('_', '-')}"
        for name in NETWORK_SETTINGS
        if name not in read and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    ]
    if inert:
        raise InputError(f"{', '.join(inert)} says nothing about --cell {cell}; leave it out")


def understand(said: Mapping[str, Any]) -> Asked:
    """The sweep that the options ``said`` ask for.

    Raises:
        InputError: they contradict each other, or there are too few windows.
        MissingExtraError: what the work needs is not installed; better said before it than after it.
    """
    for module in ("scipy", "matplotlib", *(() if said["cell"] == "random-features" else ("torch",))):
        require(module, "train")
    from ltc_edge.evaluation.descent.widths import default_widths

    subject = _subject(said)
    is_network = said["cell"] != "random-features"
    settings = Settings(
        cell=said["cell"],
        windows=said["windows"],
        updates=said["updates"] if is_network else 0,
        learning_rate=said["learning_rate"] if is_network else 0.0,
        unfolds=said["unfolds"] if said["cell"] in ("ltc", "ctrnn") else 0,
    )
    check_enough(subject, settings.windows)
    if said["seeds"] < FEWEST_SEEDS:
        click.echo(
            f"Note: with {said['seeds']} seeds intervals are wide, and peaks are hardly told from chance.",
            err=True,
        )
    widths = said["widths"] or default_widths(subject, settings)
    seeds = tuple(range(said["seed"], said["seed"] + said["seeds"]))
    return Asked(subject, settings, Grid(widths, said["noises"], seeds))


def _subject(said: Mapping[str, Any]) -> Subject:
    from ltc_edge.evaluation.descent.sources import WHITE_NOISE, demonstrations, white_noise
    from ltc_edge.training.sources import LogTaskSource, RecordingsSource, TaskSource

    window = said["window"] or DEFAULT_WINDOW
    if said["task"] == WHITE_NOISE:
        _refuse_of_data(said)
        return make_subject(WHITE_NOISE, white_noise(window), window)
    source = _source(said, window)
    if isinstance(source, TaskSource):
        return make_subject(source.name, demonstrations(source.load()), window, said["stride"])
    assert isinstance(source, LogTaskSource | RecordingsSource)
    data, _ = source.load()
    for note in data.notes:
        click.echo(f"Note: {note}", err=True)
    return make_subject(source.name, data, window, said["stride"])


def _refuse_of_data(said: Mapping[str, Any]) -> None:
    """White noise is made here, and takes nothing of what says how recordings are read."""
    given = [f"--{name.replace('_', '-')}" for name in (*OF_RECORDINGS, "stride") if said[name]]
    if given:
        raise InputError(f"white-noise says all itself; leave out {', '.join(given)}")


def _source(said: Mapping[str, Any], window: int) -> Source:
    """What ``ltc-edge train`` would learn from with the same words."""
    from ltc_edge.training.choose import choose_plan

    if bool(said["task"]) == bool(said["data"]):
        both = "TASK and --data" if said["task"] else "nothing"
        raise InputError(f"{both} given: say one of TASK, such as white-noise, or --data")
    words: defaultdict[str, Any] = defaultdict(lambda: None)
    words |= {name: said[name] for name in ("task", *OF_RECORDINGS)} | {"seed": said["seed"], "threads": 1}
    if said["data"]:
        words |= {"window": window, "stride": said["stride"]}
    return choose_plan(words).source
