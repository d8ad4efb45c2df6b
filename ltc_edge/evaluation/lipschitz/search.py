"""Bounds of a Jacobian's norm over boxes: branch and bound from above, ascent from below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ltc_edge.evaluation.lipschitz.balls import ROUNDING, Array
from ltc_edge.evaluation.lipschitz.jets import Jet
from ltc_edge.evaluation.lipschitz.norms import spectral_above, spectral_below

Index = npt.NDArray[np.int64]
Enclose = Callable[[Index, Array, Array], Jet]
"""(question (B,), centre (B, d), radius (B, d)) → the outputs' jet over these boxes, of second order if
possible; centres are counted from that of the question."""

ASCENT_STEPS = (1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.1, 0.1)
"""Shares of the radius by which ascent moves, one after another."""

WIDEST = 1e100

CLOSE_ENOUGH = 1.02
"""Boxes are not split further where upper and lower bound are within this ratio."""


@dataclass(frozen=True, eq=False)
class Evaluated:
    """Boxes, and what is known of the Jacobian over each.

    Attributes:
        owner: to which of the questions each belongs, ``(B,)``.
        centre, radius: ``(B, d)``.
        upper: at least its norm anywhere in the box, ``(B,)``.
        lower: at most its norm at the centre, ``(B,)``.
        entries: at least the magnitude of each entry, ``(B, M, w)``.
        entries_lower: at most that at the centre, ``(B, M, w)``.
        width: how much each direction adds to what is not known, ``(B, d)``.
    """

    owner: Index
    centre: Array
    radius: Array
    upper: Array
    lower: Array
    entries: Array
    entries_lower: Array
    width: Array

    def __getitem__(self, index: Index) -> Evaluated:
        return Evaluated(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    @classmethod
    def joined(cls, parts: list[Evaluated]) -> Evaluated:
        """All boxes of ``parts``."""
        return cls(*(np.concatenate([getattr(p, n) for p in parts]) for n in cls.__dataclass_fields__))


@dataclass(frozen=True, eq=False)
class Bounds:
    """For each question bounds of the norm, ``(Q,)``, and of the entries' magnitudes, ``(Q, M, w)``."""

    upper: Array
    lower: Array
    entries: Array
    entries_lower: Array


class Search:
    """The norm of a Jacobian by the directions ``wanted``, over ``Q`` boxes."""

    def __init__(
        self, enclose: Enclose, wanted: Index, chunk: int, on_share: Callable[[float], None]
    ) -> None:
        self._enclose, self._wanted, self._chunk, self._on_share = enclose, wanted, chunk, on_share

    def bounds(self, radius: Array, budget: int) -> Bounds:
        """Bounds over boxes of half widths ``radius``, ``(Q, d)``, from about ``budget`` evaluations each."""
        leaves = self._evaluate(np.arange(len(radius)), np.zeros_like(radius), radius)
        lower = np.maximum(leaves.lower, self._ascend(radius))
        left = (budget - 1) * len(radius)
        while left > 0:
            chosen = self._worst(leaves, lower, min(left, self._chunk) // 2)
            if not len(chosen):
                break
            halves = _halves(leaves[chosen])
            children = self._evaluate(*halves)
            # A half cannot have more than its whole.
            parents = leaves[np.concatenate([chosen, chosen])]
            np.minimum(children.upper, parents.upper, out=children.upper)
            np.minimum(children.entries, parents.entries, out=children.entries)
            np.maximum.at(lower, children.owner, children.lower)
            kept = np.ones(len(leaves.owner), dtype=np.bool_)
            kept[chosen] = False
            leaves = Evaluated.joined([leaves[np.flatnonzero(kept)], children])
            left -= len(children.owner)
            self._on_share(1.0 - left / (budget * len(radius)))
        upper = np.zeros(len(radius))
        entries, entries_lower = (np.zeros((len(radius), *leaves.entries.shape[1:])) for _ in range(2))
        np.maximum.at(upper, leaves.owner, leaves.upper)
        np.maximum.at(entries, leaves.owner, leaves.entries)
        np.maximum.at(entries_lower, leaves.owner, leaves.entries_lower)
        return Bounds(upper, lower, entries, entries_lower)

    def _worst(self, leaves: Evaluated, lower: Array, most: int) -> Index:
        """Boxes to split: the worst of each question that is still open, then its next ones."""
        open_ = np.flatnonzero(leaves.upper > CLOSE_ENOUGH * lower[leaves.owner])
        if not len(open_) or most < 1:
            return open_[:0]
        # By question, the worst first; a question's k-th goes after every question's (k − 1)-th.
        by_question = open_[np.lexsort((-leaves.upper[open_], leaves.owner[open_]))]
        owner = leaves.owner[by_question]
        first = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        rank = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
        ratio = leaves.upper[by_question] / np.maximum(lower[owner], 1e-300)
        result: Index = by_question[np.lexsort((-ratio, rank))][:most]
        return result

    def _evaluate(self, owner: Index, centre: Array, radius: Array) -> Evaluated:
        parts = []
        for start in range(0, len(owner), self._chunk):
            some = slice(start, start + self._chunk)
            jet = self._enclose(owner[some], centre[some], radius[some])
            slope = jet.slope[:, :, self._wanted]
            at = (jet.centre or jet).slope[:, :, self._wanted]
            entries = slope.magnitude
            entries = np.where(np.isnan(entries), np.inf, entries)
            parts.append(
                Evaluated(
                    owner[some],
                    centre[some],
                    radius[some],
                    spectral_above(slope),
                    spectral_below(at),
                    entries,
                    np.nan_to_num(np.maximum(np.abs(at.mid) - 2.0 * at.rad, 0.0)),
                    _width(jet),
                )
            )
        return Evaluated.joined(parts)

    def _ascend(self, radius: Array) -> Array:
        """The greatest norm that projected gradient ascent finds in each box, by signs of the gradient."""
        best, at, owner = np.zeros(len(radius)), np.zeros_like(radius), np.arange(len(radius))
        for share in (*ASCENT_STEPS, 0.0):
            moved = []
            for start in range(0, len(owner), self._chunk):
                some = slice(start, start + self._chunk)
                jet = self._enclose(owner[some], at[some], np.zeros_like(at[some]))
                slope = jet.slope[:, :, self._wanted]
                best[some] = np.maximum(best[some], spectral_below(slope))
                step = share * radius[some] * np.sign(_gradient(jet, slope.mid, self._wanted))
                moved.append(np.clip(at[some] + step, -radius[some], radius[some]))
            at = np.concatenate(moved)
        return best


def _halves(boxes: Evaluated) -> tuple[Index, Array, Array]:
    """Both halves of every box, cut across the direction of the greatest width; they cover it."""
    row, cut = np.arange(len(boxes.owner)), boxes.width.argmax(axis=1)
    radius = boxes.radius.copy()
    half = 0.5 * radius[row, cut]
    # The centres of the halves are rounded, and the halves reach a little further for it.
    radius[row, cut] = half + ROUNDING * (np.abs(boxes.centre[row, cut]) + half)
    sides = []
    for side in (-half, half):
        centre = boxes.centre.copy()
        centre[row, cut] += side
        sides.append(centre)
    return np.tile(boxes.owner, 2), np.concatenate(sides), np.tile(radius, (2, 1))


def _width(jet: Jet) -> Array:
    """How much each direction adds to the width of the Jacobian, as its derivatives tell, ``(B, d)``."""
    frame = jet.frame
    assert frame is not None
    if jet.bend is None:
        width = jet.slope.rad.sum(axis=1).sum(axis=1, keepdims=True) + jet.slope.magnitude.sum(axis=1)
        return _finite(width * frame.radius)
    size = _finite(jet.bend.magnitude.sum(axis=1))
    moved = np.zeros((frame.radius.shape[1], len(frame.first)))
    pair = np.arange(len(frame.first))
    moved[frame.second, pair] = frame.refinable[frame.first]
    moved[frame.first, pair] = np.maximum(moved[frame.first, pair], frame.refinable[frame.second])
    return _finite((size @ moved.T) * frame.radius)


def _finite(width: Array) -> Array:
    """What is not known is wide."""
    return np.where(np.isfinite(width), np.minimum(width, WIDEST), WIDEST)


def _gradient(jet: Jet, matrix: Array, wanted: Index) -> Array:
    """The derivative of the spectral norm of the Jacobian, Σ u_m v_i ∂²f_m/∂x_i ∂x_j, ``(B, d)``."""
    frame = jet.frame
    assert frame is not None
    directions = frame.radius.shape[1]
    if jet.bend is None:
        return np.zeros((len(matrix), directions))
    u, _, v = np.linalg.svd(np.nan_to_num(matrix), full_matrices=False)
    bend = np.einsum("bm,bmp->bp", u[:, :, 0], np.nan_to_num(jet.bend.mid))
    along = np.zeros((len(matrix), directions))
    along[:, wanted] = v[:, 0, :]
    gradient = np.zeros((len(matrix), directions))
    np.add.at(gradient.T, frame.second, (along[:, frame.first] * bend).T)
    different = frame.first != frame.second
    np.add.at(gradient.T, frame.first[different], (along[:, frame.second] * bend)[:, different].T)
    return gradient
