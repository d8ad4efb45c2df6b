"""Options that several commands share."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path)


def json_option(function: F) -> F:
    """``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on standard output.")(
        function
    )


def output_option(what: str, *, required: bool = True) -> Callable[[F], F]:
    """``-o``, where the command writes."""
    return click.option("-o", "--output", type=FILE, required=required, help=what)


def stack(options: Sequence[Callable[[Any], Any]]) -> Callable[[F], F]:
    """Several options as one decorator, in their order."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


class Finite(click.FloatRange):
    """A number in a range; NaN, which is in every range of click's, is none."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


trust_task_option = click.option(
    "--trust-task", is_flag=True, help="Run the task's code, a module:attribute that BUNDLE names."
)

trust_c_option = click.option(
    "--trust-c",
    is_flag=True,
    help="Compile BUNDLE's own C, even where its controller gives other C here: it may do anything.",
)


def names(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Callback: comma-separated names."""
    return None if value is None else tuple(part.strip() for part in value.split(","))


def indices(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Callback: comma-separated whole numbers."""
    if value is None:
        return None
    try:
        return tuple(int(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a list of whole numbers such as 0,2,3") from None


def pair(_: click.Context, __: click.Parameter, value: str | None) -> tuple[float, float] | None:
    """Callback: two numbers."""
    if value is None:
        return None
    try:
        low, high = (float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not two numbers such as 0.01,0.05") from None
    return low, high


def refuse_others(context: click.Context, allowed: set[str], why: str) -> None:
    """Refuse options that are given and not ``allowed``.

    Raises:
        click.UsageError: names them.
    """
    given = [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name is not None
        and parameter.name not in allowed
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"{why}; leave out {', '.join(given)}")
