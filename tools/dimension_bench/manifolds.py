"""Samples of manifolds whose dimension is known, turned into a space of more dimensions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ltc_edge.arrays import FloatArray

Sampler = Callable[[int, int, np.random.Generator], FloatArray]
"""(points, dimension, generator) → points in as few coordinates as the manifold needs."""


def sphere(points: int, dimension: int, rng: np.random.Generator) -> FloatArray:
    """The sphere of ``dimension``, in one more; that of dimension 1 is a circle."""
    x = rng.standard_normal((points, dimension + 1))
    result: FloatArray = x / np.linalg.norm(x, axis=1, keepdims=True)
    return result


def torus(points: int, dimension: int, rng: np.random.Generator) -> FloatArray:
    """Of dimension 2 the ring in space, its tube half as thick; of others a product of circles."""
    angle = rng.uniform(0.0, 2.0 * np.pi, (points, dimension))
    if dimension == 2:
        u, v = angle.T
        return np.stack([(2 + np.cos(v)) * np.cos(u), (2 + np.cos(v)) * np.sin(u), np.sin(v)], axis=1)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def swiss_roll(points: int, dimension: int, rng: np.random.Generator) -> FloatArray:
    """A sheet rolled up, of dimension 2 whatever ``dimension``."""
    del dimension
    angle, height = 1.5 * np.pi * (1.0 + 2.0 * rng.random(points)), 21.0 * rng.random(points)
    return np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], axis=1)


def normal(points: int, dimension: int, rng: np.random.Generator) -> FloatArray:
    """A linear subspace, normally distributed."""
    return rng.standard_normal((points, dimension))


def cube(points: int, dimension: int, rng: np.random.Generator) -> FloatArray:
    """A linear subspace, uniform between edges."""
    return rng.random((points, dimension))


MANIFOLDS: Mapping[str, Sampler] = {each.__name__: each for each in (sphere, torus, swiss_roll, normal, cube)}


def sample(
    name: str, dimension: int, *, rows: int = 1000, columns: int = 20, noise: float = 0.0, seed: int = 0
) -> FloatArray:
    """``rows`` points of a manifold in random directions of ``columns`` dimensions, or as many as it needs.

    ``noise`` is the standard deviation of Gaussian noise in each column, as a share of the column's own.
    """
    rng = np.random.default_rng(seed)
    flat = MANIFOLDS[name](rows, dimension, rng)
    columns = max(columns, flat.shape[1])
    turn, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
    points = np.pad(flat, ((0, 0), (0, columns - flat.shape[1]))) @ turn
    result: FloatArray = points + noise * points.std(axis=0) * rng.standard_normal(points.shape)
    return result
