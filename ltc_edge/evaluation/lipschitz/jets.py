"""Values over boxes with their derivatives: forward differentiation in ball arithmetic.

A `Jet` holds, for ``B`` boxes at once, what ``n`` quantities and their derivatives can be anywhere in the
box: the values, the first derivatives along ``d`` directions, and the second ones along ``p`` pairs of them.
Equations written with jets so give a Jacobian that is sound for the whole box (Moore, Kearfott, Cloud,
*Introduction to Interval Analysis*, 2009, chapter 6). Two things make it tight, where intervals alone lose
by every variable that stands in a formula twice:

- each jet has its fellow at the ``centre`` of the box, where there is next to no width;
- `refined` replaces values and derivatives by those of the mean value theorem, f(c) + f'·(x − c) and
  f'(c) + f''·(x − c), wherever they are narrower. What intervals lose is then of second order in the radius.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.evaluation.lipschitz.balls import (
    ROUNDING,
    TINY,
    Array,
    Ball,
    joined,
    matrix_product,
    narrower,
)
from ltc_edge.evaluation.lipschitz.functions import Function, inverse

Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Frame:
    """The boxes, and along what is differentiated.

    Attributes:
        radius: half the widths of the boxes, ``(B, d)``.
        first, second: the directions of each pair, ``(p,)`` each; empty without second derivatives.
        spread: what a second derivative adds to each first one within the box, ``(B, p, d)``.
        refinable: the directions all of whose pairs are there, ``(d,)``.
    """

    radius: Array
    first: Index
    second: Index
    spread: Array
    refinable: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, radius: Array, wanted: Index) -> Frame:
        """Second derivatives by each of the directions ``wanted`` and by any."""
        directions = radius.shape[1]
        refinable = np.isin(np.arange(directions), wanted)
        first, second = np.triu_indices(directions)
        some = refinable[first] | refinable[second]
        first, second = first[some], second[some]
        spread = np.zeros((len(radius), len(first), directions))
        pair = np.arange(len(first))
        for own, other in ((first, second), (second, first)):
            spread[:, pair, own] = radius[:, other]
        return cls(radius, first, second, spread, refinable)

    @property
    def order(self) -> int:
        """Of the highest derivatives."""
        return 2 if len(self.first) else 1

    def products(self, one: Ball, other: Ball) -> Ball:
        """Of derivatives by the first direction of each pair and by the second one, ``(B, n, p)``."""
        return one.take(self.first) * other.take(self.second)


@dataclass(frozen=True, eq=False)
class Jet:
    """``n`` quantities over ``B`` boxes.

    Attributes:
        frame: the boxes; None for the jet at their centres.
        value: ``(B, n)``.
        slope: first derivatives, ``(B, n, d)``.
        bend: second ones, ``(B, n, p)``, or None.
        centre: the same at the centres, without second derivatives; None in that jet itself.
    """

    frame: Frame | None
    value: Ball
    slope: Ball
    bend: Ball | None
    centre: Jet | None

    def __getitem__(self, index: slice | Index) -> Jet:
        """Some of the quantities."""
        return Jet(
            self.frame,
            self.value[:, index],
            self.slope[:, index],
            None if self.bend is None else self.bend[:, index],
            None if self.centre is None else self.centre[index],
        )

    def __add__(self, other: Jet) -> Jet:
        return Jet(
            self.frame,
            self.value + other.value,
            self.slope + other.slope,
            _both(self.bend, other.bend),
            None if self.centre is None or other.centre is None else self.centre + other.centre,
        )

    def __neg__(self) -> Jet:
        return self.linear(-1.0)

    def __sub__(self, other: Jet) -> Jet:
        return self + -other

    def __mul__(self, other: Jet) -> Jet:
        a, b = self.value[:, :, None], other.value[:, :, None]
        bend = None
        if self.bend is not None and other.bend is not None and self.frame is not None:
            frame, da, db = self.frame, self.slope, other.slope
            crossed = frame.products(da, db) + frame.products(db, da)
            bend = a * other.bend + b * self.bend + crossed
        return Jet(
            self.frame,
            self.value * other.value,
            a * other.slope + b * self.slope,
            bend,
            None if self.centre is None or other.centre is None else self.centre * other.centre,
        )

    def __truediv__(self, other: Jet) -> Jet:
        """The quotient, by a quantity that is not zero anywhere in the box."""
        reciprocal = inverse(*other.value.ends)
        value = self.value * reciprocal
        r, q = reciprocal[:, :, None], value[:, :, None]
        slope = r * (self.slope - q * other.slope)
        bend = None
        if self.bend is not None and other.bend is not None and self.frame is not None:
            frame, dd = self.frame, other.slope
            crossed = frame.products(slope, dd) + frame.products(dd, slope)
            bend = r * (self.bend - q * other.bend - crossed)
        centre = None if self.centre is None or other.centre is None else self.centre / other.centre
        return Jet(self.frame, value, slope, bend, centre)

    def apply(self, function: Function) -> Jet:
        """A function of each quantity."""
        ends = self.value.ends
        steep = function.slope(*ends)[:, :, None]
        bend = None
        if self.bend is not None and self.frame is not None:
            curved = function.bend(*ends)[:, :, None]
            bend = curved * self.frame.products(self.slope, self.slope) + steep * self.bend
        return Jet(
            self.frame,
            function.value(*ends),
            steep * self.slope,
            bend,
            None if self.centre is None else self.centre.apply(function),
        )

    def linear(self, factor: Array | float, offset: Array | Ball | None = None) -> Jet:
        """``factor·quantity + offset``; both broadcast to ``(B, n)``."""
        scaled = constant(np.asarray(factor, dtype=np.float64))
        steep = scaled[..., None]
        value = scaled * self.value
        return Jet(
            self.frame,
            value if offset is None else value + constant(offset),
            steep * self.slope,
            None if self.bend is None else steep * self.bend,
            None if self.centre is None else self.centre.linear(factor, offset),
        )

    def mixed(self, matrix: Array, offset: Array | Ball | None = None) -> Jet:
        """``matrix @ quantities + offset``, with ``(m, n)`` or ``(B, m, n)`` and ``(…, m)``."""
        value = matrix_product(matrix, self.value[:, :, None])[:, :, 0]
        return Jet(
            self.frame,
            value if offset is None else value + constant(offset),
            matrix_product(matrix, self.slope),
            None if self.bend is None else matrix_product(matrix, self.bend),
            None if self.centre is None else self.centre.mixed(matrix, offset),
        )

    def refined(self) -> Jet:
        """The same, narrowed by the mean value theorem."""
        if self.frame is None or self.centre is None:
            return self
        frame, slope = self.frame, self.slope
        if self.bend is not None:
            reach = _reach(self.bend.magnitude @ frame.spread, len(frame.first))
            reach = np.where(frame.refinable, reach, np.inf)
            slope = narrower(slope, self.centre.slope + Ball(np.zeros_like(reach), reach))
        reach = _reach((slope.magnitude @ frame.radius[:, :, None])[:, :, 0], slope.mid.shape[2])
        value = narrower(self.value, self.centre.value + Ball(np.zeros_like(reach), reach))
        return Jet(frame, value, slope, self.bend, self.centre)


def constant(values: Array | Ball) -> Ball:
    """Numbers that were computed, from parameters perhaps, and so are off by a rounding or two."""
    return values if isinstance(values, Ball) else Ball(values, ROUNDING * np.abs(values))


def _both(one: Ball | None, other: Ball | None) -> Ball | None:
    return None if one is None or other is None else one + other


def _reach(computed: Array, terms: int) -> Array:
    """At least the sum of ``terms`` products that was computed."""
    return computed * (1.0 + (terms + 8) * 2.0**-52) + TINY


def start(centre: Array, radius: Array, directions: Array, wanted: Index) -> Jet:
    """``n`` quantities that span the boxes themselves, each off its centre by ``directions``.

    Args:
        centre: ``(B, n)``.
        radius: half widths, ``(B, d)``.
        directions: how each quantity moves with each direction, ``(n, d)``, 0 or 1, one a quantity at most.
        wanted: directions by which second derivatives are taken; none for first derivatives alone.
    """
    frame = Frame.of(radius, wanted)
    boxes, size = centre.shape
    slope = Ball.exactly(np.broadcast_to(directions, (boxes, *directions.shape)).astype(np.float64))
    bend = Ball.exactly(np.zeros((boxes, size, len(frame.first)))) if frame.order == 2 else None
    point = Jet(None, Ball.exactly(centre), slope, None, None)
    return Jet(frame, Ball(centre, radius @ directions.T), slope, bend, point)


def one_after_another(jets: Sequence[Jet]) -> Jet:
    """The quantities of several jets."""
    bends = [jet.bend for jet in jets if jet.bend is not None]
    centres = [jet.centre for jet in jets if jet.centre is not None]
    return Jet(
        jets[0].frame,
        joined([jet.value for jet in jets], 1),
        joined([jet.slope for jet in jets], 1),
        joined(bends, 1) if bends else None,
        one_after_another(centres) if centres else None,
    )
