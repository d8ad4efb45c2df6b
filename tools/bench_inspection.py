"""Does `ltc-edge inspect` find what was planted? Prints JSON.

    python tools/bench_inspection.py --networks 100 --json

In each network of `inspection_bench.planted` one sensor drives the action through one neuron, among decoys. A
network counts as recovered only where all five answers of an inspection are right: the observation that
drives most by integrated gradients, by perturbation, and by what cutting it costs; the neuron that carries
it; and the neuron whose cut costs most, the motor neuron aside. Beside them stand what correlation, activity
and weights would have answered.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from inspection_bench.planted import Planted, planted_network

from ltc_edge.evaluation.inspection.inspection import Inspection, carrier, inspect_task
from ltc_edge.evaluation.inspection.parts import Kind

EPISODES = 6


def recovered(planted: Planted, inspection: Inspection) -> dict[str, bool]:
    """Which answers are right."""
    drives = inspection.drives
    carried = carrier(inspection, planted.observation)

    def dearest(kind: Kind, first: int) -> int:
        effects = inspection.effects.of(kind)[first:]
        return max(effects, key=lambda effect: effect.lost).part.index

    return {
        "gradients": int(drives.gradient_shares[:-1, 0].argmax()) == planted.observation,
        "perturbation": int(drives.perturbed_shares[:-1, 0].argmax()) == planted.observation,
        "observation_cut": dearest(Kind.OBSERVATION, 0) == planted.observation,
        "carrier": carried is not None and carried[0] == planted.neuron,
        "neuron_cut": dearest(Kind.NEURON, 1) == planted.neuron,
    }


def guessed(planted: Planted, inspection: Inspection) -> dict[str, bool]:
    """What would be answered without an experiment."""
    visited, controller = inspection.visited, planted.controller
    valid = visited.valid
    action = visited.action[valid][:, 0]
    correlations = (
        np.abs(np.corrcoef(values[valid].T, action)[-1, :-1])
        for values in (visited.observation, visited.state)
    )
    by_observation, by_neuron = correlations
    wiring, parameters = controller.cell.wiring, controller.parameters  # type: ignore[union-attr]
    onto_motor = wiring.synapses[:, 1] == 0
    strength = np.where(onto_motor, parameters["w"] * np.abs(parameters["erev"]), 0.0)
    activity = np.array([own.std for own in inspection.neurons])
    return {
        "observation_by_correlation": int(by_observation.argmax()) == planted.observation,
        "neuron_by_correlation": int(by_neuron[1:].argmax()) + 1 == planted.neuron,
        "neuron_by_activity": int(activity[1:].argmax()) + 1 == planted.neuron,
        "neuron_by_weight": int(wiring.synapses[strength.argmax(), 0]) == planted.neuron,
    }


def bench(networks: int, first: int = 0) -> dict[str, Any]:
    """Inspect ``networks`` networks, seeded from ``first`` on."""
    started = time.process_time()
    found, naive, failed, agreement, gap = [], [], [], [], []
    for seed in range(first, first + networks):
        planted = planted_network(seed)
        kinds = (Kind.OBSERVATION, Kind.NEURON)
        inspection = inspect_task(planted.task, planted.controller, range(EPISODES), kinds=kinds)
        found.append(recovered(planted, inspection))
        naive.append(guessed(planted, inspection))
        agreement.append(float(inspection.drives.agreement[0]))
        gap.append(inspection.drives.gap)
        if not all(found[-1].values()):
            failed.append({"seed": seed, **found[-1]})
    return {
        "networks": networks,
        "recovered": networks - len(failed),
        "right": {name: sum(each[name] for each in found) for name in found[0]},
        "right_without_experiments": {name: sum(each[name] for each in naive) for name in naive[0]},
        "rank_correlation_median": float(np.median(agreement)),
        "rank_correlation_lowest": min(agreement),
        "gap_largest": max(gap),
        "failed": failed,
        "cpu_seconds": round(time.process_time() - started, 1),
    }


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="seed of the first network")
    parser.add_argument("--json", action="store_true", help="on one line")
    said = parser.parse_args()
    print(json.dumps(bench(said.networks, said.first), indent=None if said.json else 2))


if __name__ == "__main__":
    main()
