"""How near the effective dimension comes to the truth, and to scikit-dimension's estimators. Prints JSON.

    python tools/bench_dimension.py                            # every manifold, 1 to 10 dimensions
    python tools/bench_dimension.py --points 1000 --seeds 5 --noise 0,0.02

Manifolds lie in random directions of 20 dimensions, each with several seeds and amounts of noise; a row has
the estimates and the largest relative error. Where the package scikit-dimension is installed (it need not be
in the environment of ltc-edge), its TwoNN (maximum likelihood), MLE (20 neighbours) and participation ratio
are taken of the same standardised points, and the largest relative differences given.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ltc_edge.evaluation.sizing.autocorrelation import Memory
from ltc_edge.evaluation.sizing.dimension import effective_dimension
from ltc_edge.evaluation.sizing.estimators import mle, participation_ratio, two_nn
from ltc_edge.evaluation.sizing.neighbours import log_distances
from ltc_edge.evaluation.sizing.points import Points, draw_points
from tools.dimension_bench.manifolds import sample

FLOOR, PEER_FLOOR = 0.15, 0.10
NEIGHBOURS = 20


def cases() -> Iterable[tuple[str, int]]:
    """Manifolds and their dimensions."""
    for name in ("sphere", "torus", "normal", "cube"):
        for dimension in range(1, 11):
            yield name, dimension
    yield "swiss_roll", 2


def points_of(values: np.ndarray) -> Points:
    """All of ``values``, taken to be independent of each other."""
    columns = values.shape[1]
    return draw_points([values], Memory(np.ones(columns), np.ones(columns, dtype=bool)), most=len(values))


def peer_differences(points: Points) -> dict[str, float]:
    """Relative differences of each estimator from that of scikit-dimension, on the same points."""
    import skdim
    from scipy.spatial import cKDTree

    log_r = log_distances(points, NEIGHBOURS)
    # Distances from elsewhere: where points nearly meet, the package's own search says that they are one.
    distance, index = (
        found[:, 1:] for found in cKDTree(points.values).query(points.values, k=NEIGHBOURS + 1)
    )
    peer_two_nn = skdim.id.TwoNN(discard_fraction=0.0, method="mle", dist=True).fit(distance[:, :2])
    peer_mle = skdim.id.MLE().fit(points.values, precomputed_knn_arrays=(distance, index))
    peer_ratio = skdim.id.lPCA(ver="participation_ratio").fit(points.values)
    return {
        "two_nn": float(two_nn(log_r) / peer_two_nn.dimension_ - 1.0),
        "mle": float(mle(log_r, NEIGHBOURS) / peer_mle.dimension_ - 1.0),
        "participation_ratio": float(participation_ratio(points.values) / peer_ratio.dimension_ - 1.0),
    }


def measured(
    name: str, dimension: int, noise: float, arguments: argparse.Namespace, *, peer: bool
) -> dict[str, Any]:
    """A manifold with one amount of noise, over all seeds."""
    estimates, steady, differences = [], True, []
    for seed in range(arguments.seeds):
        points = points_of(sample(name, dimension, rows=arguments.points, noise=noise, seed=seed))
        found = effective_dimension(points, seed)
        estimates.append(found.estimate.value)
        steady &= found.steady
        if peer:
            differences.append(peer_differences(points))
    error = max(abs(each / dimension - 1.0) for each in estimates)
    row = {"manifold": name, "dimension": dimension, "noise": noise, "estimates": estimates}
    row |= {"largest_error": error, "steady": steady}
    if differences:
        row["peer"] = {key: max((each[key] for each in differences), key=abs) for key in differences[0]}
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--noise", default="0,0.01", help="shares of each column's deviation")
    arguments = parser.parse_args()
    peer = importlib.util.find_spec("skdim") is not None
    rows = []
    for noise in map(float, arguments.noise.split(",")):
        for name, dimension in cases():
            rows.append(measured(name, dimension, noise, arguments, peer=peer))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    document: dict[str, Any] = {"points": arguments.points, "seeds": arguments.seeds, "rows": rows}
    document["beyond_15_percent"] = [
        f"{row['manifold']} {row['dimension']}, noise {row['noise']}"
        for row in rows
        if row["largest_error"] > FLOOR
    ]
    document["peer_installed"] = peer
    if peer:
        document["peer_largest_difference"] = {
            key: max((row["peer"][key] for row in rows), key=abs) for key in rows[0]["peer"]
        }
        document["peer_beyond_10_percent"] = [
            f"{row['manifold']} {row['dimension']}, noise {row['noise']}"
            for row in rows
            if max(map(abs, row["peer"].values())) > PEER_FLOOR
        ]
    print(json.dumps(document))


if __name__ == "__main__":
    main()
