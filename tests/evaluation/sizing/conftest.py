"""Uniform samples of manifolds whose dimension is known, turned into a space of more dimensions."""

import numpy as np
import pytest


def sphere(rows, dimension, rng):
    x = rng.standard_normal((rows, dimension + 1))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def torus(rows, dimension, rng):
    if dimension == 2:  # in three dimensions, the tube half as thick as the ring; nearly uniform
        u, v = rng.uniform(0.0, 2.0 * np.pi, (2, rows))
        return np.stack([(2 + np.cos(v)) * np.cos(u), (2 + np.cos(v)) * np.sin(u), np.sin(v)], axis=1)
    angle = rng.uniform(0.0, 2.0 * np.pi, (rows, dimension))
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def swiss_roll(rows, dimension, rng):
    assert dimension == 2
    angle, height = 1.5 * np.pi * (1.0 + 2.0 * rng.random(rows)), 21.0 * rng.random(rows)
    return np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], axis=1)


def normal(rows, dimension, rng):
    return rng.standard_normal((rows, dimension))


def cube(rows, dimension, rng):
    return rng.random((rows, dimension))


MANIFOLDS = {each.__name__: each for each in (sphere, torus, swiss_roll, normal, cube)}


@pytest.fixture(scope="session")
def manifold():
    """Samples a manifold by its name, in random directions of ``columns`` dimensions, all with noise."""

    def sample(name, dimension, *, rows=1000, columns=20, noise=0.0, seed=0):
        rng = np.random.default_rng(seed)
        flat = MANIFOLDS[name](rows, dimension, rng)
        columns = max(columns, flat.shape[1])
        turn, _ = np.linalg.qr(rng.standard_normal((columns, columns)))
        points = np.pad(flat, ((0, 0), (0, columns - flat.shape[1]))) @ turn
        return points + noise * points.std(axis=0) * rng.standard_normal(points.shape)

    return sample
