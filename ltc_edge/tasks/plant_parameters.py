"""Physical parameters of a plant as data, and the same plant with some of them off by a factor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from ltc_edge.errors import TaskError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Physics = TypeVar("Physics", bound=DataclassInstance)


def names_of(physics: type[DataclassInstance]) -> tuple[str, ...]:
    """The parameters of a dataclass of physical parameters."""
    return tuple(field.name for field in dataclasses.fields(physics))


def scaled(physics: Physics, factors: Mapping[str, float]) -> Physics:
    """``physics`` with each named parameter times its factor.

    Raises:
        TaskError: there is no such parameter.
    """
    check_factors(factors, names_of(type(physics)))
    changed = {name: getattr(physics, name) * factor for name, factor in factors.items()}
    return dataclasses.replace(physics, **changed)


def check_factors(factors: Mapping[str, float], known: tuple[str, ...]) -> None:
    """Raise `TaskError` unless all factors are of ``known`` parameters."""
    if unknown := factors.keys() - set(known):
        raise TaskError(f"no parameter {', '.join(sorted(unknown))}: the plant has {', '.join(known)}")
