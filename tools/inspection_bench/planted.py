"""LTC networks with one path from a sensor through a neuron to the action, among decoys.

What looks like a cause and is none: sensors that go with the action as much as the planted one or more;
neurons that move more, and go with the action more, but whose synapses onto the path are saturated; and
such synapses of the largest conductance. Weak synapses that do transmit are everywhere.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from inspection_bench.plant import CAUSE, PERIOD_S, SENSORS, Level
from ltc_edge.arrays import FloatArray
from ltc_edge.cells.spec import LTCSpec
from ltc_edge.controller import Controller, Scaling, Timing
from ltc_edge.evaluation.inspection.arena import ClosedLoop
from ltc_edge.runtimes.reference import ReferenceBatch
from ltc_edge.wiring import Role, Wiring

FEEDBACK = -0.8
"""Action per level that the planted path is scaled to."""

LARGEST_SCALE = 20.0
"""Of the motor neuron's potential to the action: a path that needs more transmits next to nothing."""

TRIED = range(1000, 1008)
"""Seeds of the episodes that show whether a network controls the level."""

Generator = np.random.Generator
Parameters = dict[str, FloatArray]


@dataclass(frozen=True, eq=False)
class Planted:
    """A network and what was planted in it.

    Attributes:
        task: its plant, with the sensors in an order of its own.
        controller: the network.
        observation: index of the sensor that drives the action.
        neuron: the neuron that carries it, as in the wiring.
    """

    task: Level
    controller: Controller
    observation: int
    neuron: int


def planted_network(seed: int) -> Planted:
    """The network of ``seed``: 7 to 12 neurons, wired at random.

    Draws whose path hardly transmits, because its neuron rests where the path pulls it to, are drawn again,
    and so are those that do not control the level: where nothing is done, nothing drives it.
    """
    rng = np.random.default_rng(seed)
    task = Level(rng.permutation(len(SENSORS)).tolist())
    source = [signal.name for signal in task.observations].index(CAUSE)
    while True:
        drawn = _drawn(rng, task, source)
        if abs(drawn.controller.parameters["output_w"][0]) <= LARGEST_SCALE and _controls(drawn):
            return drawn


def _controls(planted: Planted) -> bool:
    """Whether it keeps the level at least halfway better than nothing does, on episodes of its own."""
    arena = ClosedLoop(planted.task, TRIED)
    return bool(arena.play(ReferenceBatch(planted.controller)).mean() > 0.5 * arena.baseline().mean())


def _drawn(rng: Generator, task: Level, source: int) -> Planted:
    units = int(rng.integers(7, 13))
    carrier = int(rng.integers(1, units))
    sensory = _polarities(rng, (len(SENSORS), units), 0.6)
    recurrent = _polarities(rng, (units, units), 0.6)
    sensory[source, carrier], recurrent[carrier, 0] = rng.choice([-1, 1], 2)
    recurrent[0, :] = 0  # what hears the action would be heard as its cause
    wiring = Wiring("custom", sensory, recurrent, (Role.MOTOR,) + (Role.INTER,) * (units - 1))
    parameters = _parameters(rng, wiring, source, carrier)
    controller = _controller(task, LTCSpec(wiring, unfolds=3, positivity="clamp"), parameters)
    return Planted(task, _tuned(controller, source, carrier), source, carrier)


def _polarities(rng: Generator, shape: tuple[int, int], density: float) -> np.ndarray:
    drawn = rng.choice(np.array([-1, 1], dtype=np.int8), size=shape)
    return np.where(rng.random(shape) < density, drawn, 0).astype(np.int8)


def _parameters(rng: Generator, wiring: Wiring, source: int, carrier: int) -> Parameters:
    """Decoys are lively; onto the path's neurons everything but the path is saturated or weak."""
    sensory, recurrent = wiring.sensory_synapses, wiring.synapses
    parameters = {
        "gleak": rng.uniform(0.3, 0.6, wiring.units),
        "vleak": rng.uniform(-0.2, 0.2, wiring.units),
        "cm": rng.uniform(0.3, 2.0, wiring.units),
        "input_w": np.ones(wiring.inputs),
        "input_b": np.zeros(wiring.inputs),
        "output_w": np.ones(1),
        "output_b": np.zeros(1),
    }
    on_path = np.isin(sensory[:, 1], (carrier, 0)), np.isin(recurrent[:, 1], (carrier, 0))
    for prefix, pairs, path in (("sensory_", sensory, on_path[0]), ("", recurrent, on_path[1])):
        adjacency = wiring.sensory if prefix else wiring.recurrent
        drawn = {
            "w": rng.uniform(0.5, 2.0, len(pairs)),
            "sigma": rng.uniform(1.0, 3.0, len(pairs)),
            "mu": rng.uniform(-0.3, 0.3, len(pairs)),
            "erev": adjacency[pairs[:, 0], pairs[:, 1]] * rng.uniform(0.7, 1.3, len(pairs)),
        }
        _decoys(rng, drawn, path, far=8.0 if prefix else 2.5)
        parameters |= {prefix + name: values for name, values in drawn.items()}
    planted = (sensory == (source, carrier)).all(axis=1), (recurrent == (carrier, 0)).all(axis=1)
    for prefix, path, sigma in (("sensory_", planted[0], 0.8), ("", planted[1], 3.0)):
        for name, value in (("w", 0.8), ("sigma", sigma), ("mu", 0.0)):
            parameters[prefix + name][path] = value
    parameters["cm"][carrier] = rng.uniform(1.0, 2.0)
    return parameters


def _decoys(rng: Generator, drawn: Parameters, path: np.ndarray, far: float) -> None:
    """Of those on the path, half are strong but saturated, ``far`` from where they would transmit."""
    saturated = path & (rng.random(len(path)) < 0.5)
    weak = path & ~saturated
    drawn["w"][saturated] = rng.uniform(0.3, 0.9, saturated.sum())
    drawn["sigma"][saturated] = rng.uniform(3.0, 5.0, saturated.sum())
    drawn["mu"][saturated] = far * rng.choice([-1.0, 1.0], saturated.sum())
    drawn["w"][weak] = rng.uniform(0.002, 0.01, weak.sum())


def _controller(task: Level, cell: LTCSpec, parameters: Parameters) -> Controller:
    return Controller(
        name="planted",
        purpose="control",
        observations=task.observations,
        normalizer=Scaling.identity(cell.inputs),
        cell=cell,
        parameters=parameters,
        actions=task.actions,
        denormalizer=Scaling.identity(1),
        timing=Timing(PERIOD_S, PERIOD_S, PERIOD_S, PERIOD_S),
        initial_state=np.zeros(cell.units),
        fallback=np.zeros(1),
    )


def _tuned(controller: Controller, source: int, carrier: int) -> Controller:
    """The path centred on where its neuron rests, and the action scaled to `FEEDBACK`, 0 at rest."""
    rest = _settled(controller, source, 0.0)
    mu = controller.parameters["mu"].copy()
    path = (controller.cell.wiring.synapses == (carrier, 0)).all(axis=1)  # type: ignore[union-attr]
    mu[path] = rest[carrier]
    centred = dataclasses.replace(controller, parameters={**controller.parameters, "mu": mu})
    low, middle, high = (_settled(centred, source, level)[0] for level in (-0.5, 0.0, 0.5))
    scale = FEEDBACK / (high - low)
    affine = {"output_w": np.array([scale]), "output_b": np.array([-scale * middle])}
    return dataclasses.replace(centred, parameters={**centred.parameters, **affine})


def _settled(controller: Controller, source: int, level: float) -> FloatArray:
    """Where neurons come to rest with the planted sensor at ``level`` and others at zero, ``(N,)``."""
    batch = ReferenceBatch(controller)
    batch.reset(1)
    observation = np.zeros((1, controller.cell.inputs))
    observation[0, source] = level
    for _ in range(100):
        batch.step(observation, np.array([PERIOD_S]))
    return batch.state[0]
