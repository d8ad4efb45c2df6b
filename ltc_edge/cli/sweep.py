"""``ltc-edge sweep``."""

from __future__ import annotations

import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ltc_edge.cli.main import INTERRUPTED
from ltc_edge.cli.options import json_option, output_option, refuse_others
from ltc_edge.cli.output import print_json
from ltc_edge.cli.sweep_request import (
    PICKABLE,
    RESUMABLE,
    check_engine,
    engine_options,
    goal_options,
    search_options,
    space_options,
)
from ltc_edge.cli.train import data_options, task_options
from ltc_edge.errors import CheckFailedError, require

if TYPE_CHECKING:
    from ltc_edge.sweep.swept import Swept


@click.command("sweep")
@click.argument("task", required=False)
@output_option("The folder of the sweep.")
@goal_options
@space_options
@search_options
@engine_options
@task_options
@data_options
@click.option("--pick", is_flag=True, help="Say which trial to ship, and why; of a sweep that is there.")
@click.option("--resume", is_flag=True, help="Go on with the sweep in the folder.")
@click.option("--force", is_flag=True, help="Replace a sweep in the folder.")
@json_option
@click.pass_context
def command(
    context: click.Context, /, output: Path, pick: bool, resume: bool, force: bool, as_json: bool, **said: Any
) -> None:
    """Search for the smallest controller of TASK, of --env or of recordings that keeps a budget.

    \b
    ltc-edge sweep cartpole -o sweeps/cart --budget 'instructions<9000,flash<8192'
    ltc-edge sweep pendulum -o sweeps/up --cell ltc,cfc --units 4:24 --format c-int16 --trials 60
    ltc-edge sweep --data 'logs/*.csv' --inputs u,q --targets dq --time t -o sweeps/observer
    ltc-edge sweep --resume -o sweeps/cart --trials 80
    ltc-edge sweep -o sweeps/cart --pick --budget 'instructions<5000'

    Trials are trained, exported and measured for real; those that nothing else beats are the result, each a
    run folder that `ltc-edge export` takes. The same sweep gives the same trials whatever the number of
    workers, and goes on with --resume after whatever ended it.
    """
    require("optuna", "sweep")
    from ltc_edge.cli import sweep_run

    begun_s = time.monotonic()
    is_new = any((said["task"], said["env"], said["data"]))
    is_look = pick and not resume and not is_new
    if not (is_new or resume or pick):
        raise click.UsageError("say TASK, --env or --data; of a sweep that is there, --resume or --pick")
    if is_look:
        refuse_others(context, PICKABLE, "--pick alone looks at the sweep that is there")
        swept = sweep_run.look(output, said["budget"])
    else:
        check_engine(said)
        if resume:
            refuse_others(context, RESUMABLE, "--resume goes on with what the sweep was begun with")
        with _going_on(output):
            swept = sweep_run.resume(said, output) if resume else sweep_run.start(said, output, force=force)
    if as_json:
        from ltc_edge.cli.sweep_document import sweep_document

        print_json(sweep_document(swept, output, time.monotonic() - begun_s))
    else:
        _print(swept, output, pick_only=is_look)
    if swept.pick is None:
        sys.exit(CheckFailedError.exit_code)


@contextmanager
def _going_on(output: Path) -> Iterator[None]:
    """Let SIGTERM end a sweep as Ctrl-C does, and say how to go on after either."""
    from ltc_edge.sweep.plan import FILE

    earlier = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        if not (output / FILE).exists():
            raise
        click.echo(
            f"Interrupted. Go on with: ltc-edge sweep --resume -o {shlex.quote(str(output))}", err=True
        )
        sys.exit(INTERRUPTED)
    finally:
        signal.signal(signal.SIGTERM, earlier)


def _print(swept: Swept, output: Path, *, pick_only: bool) -> None:
    from ltc_edge.cli.sweep_table import print_front, print_pick

    (print_pick if pick_only else print_front)(swept, output)
