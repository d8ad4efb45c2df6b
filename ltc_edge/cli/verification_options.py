"""Options of every command that verifies."""

from __future__ import annotations

import click

from ltc_edge.cli.options import Finite, stack

verification_options = stack(
    [
        click.option(
            "--episodes",
            type=click.IntRange(2, 10_000),
            default=20,
            show_default=True,
            help="Of the closed loop.",
        ),
        click.option("--atol", type=Finite(min=0), help="Error allowed at a step, in the actuator's unit."),
        click.option("--rtol", type=Finite(min=0), help="Error allowed at a step, as a share of the action."),
    ]
)
