"""What an actuator sees while a loop goes from hand to hand, on the plant of a bundle's task.

    python tools/bench_handover.py BUNDLE
    python tools/bench_handover.py BUNDLE --handover 0    # within the slew alone

Somebody else's law, the expert of the task, acts in shadow mode; in the middle of a movement the controller
is armed; readings are lost for a while; they return; the loop is disarmed. Prints one JSON object with a row
for each change of mode: how far the next law's action was from the last one, which is the step that the
actuator would have seen, and the greatest step that it saw in the five periods that follow.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.errors import LtcEdgeError
from ltc_edge.supervision import Mode, Request, SupervisedController, default_settings
from ltc_edge.supervision.supervisor import Input, Output
from ltc_edge.training.sources import TaskSource

PHASES = (
    (6, Request.SHADOW, False),
    (8, Request.ARM, False),
    (12, Request.NONE, True),
    (30, Request.NONE, False),
    (12, Request.DISARM, False),
)
"""Steps, what is asked for in the first of them, and whether readings are lost."""
STALE_S, WINDOW = 1e3, 5


@dataclass(frozen=True)
class Step:
    """What a period gave, and what somebody else would have had."""

    output: Output
    external: float


def follow(supervised: SupervisedController, task: Any, seed: int) -> list[Step]:
    """Every period of all phases."""
    plants = task.make_plants()
    readings = plants.reset([seed])
    found = []
    for steps, request, lost in PHASES:
        for step in range(steps):
            observation, external = readings.observation[0].tolist(), task.expert(readings.privileged)[0]
            given = Input(
                observation,
                float(readings.dt_s[0]),
                age_s=[STALE_S if lost else 0.0] * len(observation),
                external=external.tolist(),
                requests=request if step == 0 else Request.NONE,
            )
            output = supervised.step(given)
            found.append(Step(output, float(external[0])))
            readings = plants.step(np.array([output.action]), np.ones(1, dtype=np.bool_))
    plants.close()
    return found


def changes(found: list[Step], resting: float) -> list[dict[str, Any]]:
    """A row for each change of mode, the first one from rest."""
    actions = np.array([resting, *(step.output.action[0] for step in found)])
    modes = [Mode.DISARMED, *(step.output.mode for step in found)]
    rows = []
    for index, step in enumerate(found):
        if modes[index + 1] == modes[index]:
            continue
        wanted = {
            Mode.ACTIVE: step.output.proposal[0],
            Mode.SHADOW: step.external,
            Mode.FALLBACK: float(actions[index]),
        }.get(modes[index + 1], resting)
        seen = np.abs(np.diff(actions[index : index + 1 + WINDOW]))
        rows.append(
            {
                "step": index,
                "from": modes[index].name,
                "to": modes[index + 1].name,
                "at_once": round(abs(wanted - float(actions[index])), 3),
                "greatest_step": round(float(seen.max()), 3),
            }
        )
    return rows


def main() -> int:
    """One JSON object on standard output."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--handover", type=float, help="seconds, instead of the usual")
    parser.add_argument("--seed", type=int, default=3)
    arguments = parser.parse_args()
    try:
        bundle = load_bundle(arguments.bundle)
        source = bundle.source()
        if not isinstance(source, TaskSource):
            parser.error(f"{arguments.bundle} is for no task, whose plant could close the loop")
        settings = default_settings(bundle.controller)
        if arguments.handover is not None:
            settings = dataclasses.replace(settings, handover_s=arguments.handover)
        supervised = SupervisedController.of_bundle(bundle, settings=settings)
        found = follow(supervised, source.load(), arguments.seed)
    except LtcEdgeError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    document = {
        "bundle": bundle.controller.name,
        "handover_s": round(settings.handover_s, 6),
        "changes": changes(found, settings.resting[0]),
        "actions": [round(step.output.action[0], 3) for step in found],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
