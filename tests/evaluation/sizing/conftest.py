"""Samples of manifolds whose dimension is known."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def manifold():
    """`sample` of the benchmark: a manifold by its name, in random directions of 20 dimensions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).parents[3] / "tools"))
        from dimension_bench.manifolds import sample
    return sample
