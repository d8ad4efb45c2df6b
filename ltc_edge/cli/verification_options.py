"""Options of every command that verifies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ltc_edge.cli.options import Finite

F = TypeVar("F", bound=Callable[..., Any])


def verification_options(function: F) -> F:
    """``--episodes``, ``--atol``, ``--rtol``."""
    for option in (
        click.option("--rtol", type=Finite(min=0), help="Error allowed at a step, as a share of the action."),
        click.option("--atol", type=Finite(min=0), help="Error allowed at a step, in the actuator's unit."),
        click.option(
            "--episodes",
            type=click.IntRange(2, 10_000),
            default=20,
            show_default=True,
            help="Of the closed loop.",
        ),
    ):
        function = option(function)
    return function
