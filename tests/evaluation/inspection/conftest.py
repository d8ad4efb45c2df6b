"""Controllers of every cell with random parameters, lively enough that every part matters."""

import numpy as np
import pytest

from ltc_edge import ActionSignal, Controller, ObservationSignal, Scaling, Timing, wiring
from ltc_edge.cells import CfCSpec, CTRNNSpec, GatedSpec, LTCSpec, MixedMemorySpec

INPUTS = 3
WIRED = wiring.auto_ncp(INPUTS, 9, 1, seed=4)
SPECS = {
    "ltc": LTCSpec(WIRED, unfolds=3),
    "ltc-rk4": LTCSpec(WIRED, unfolds=3, solver="rk4"),
    "ltc-clamp": LTCSpec(wiring.dense(INPUTS, 5, 1), unfolds=2, positivity="clamp", affine=False),
    "cfc-wired": CfCSpec(INPUTS, 9, WIRED),
    "cfc-pure": CfCSpec(INPUTS, 9, WIRED, mode="pure"),
    "cfc": CfCSpec(INPUTS, 6, backbone_units=8),
    "ctrnn": CTRNNSpec(INPUTS, 6, unfolds=3),
    "lstm": GatedSpec("lstm", INPUTS, 5),
    "gru": GatedSpec("gru", INPUTS, 5),
    "mixed": MixedMemorySpec(LTCSpec(WIRED, unfolds=2)),
    "mixed-cfc": MixedMemorySpec(CfCSpec(INPUTS, 9, WIRED)),
}
POSITIVE = ("gleak", "cm", "w", "sensory_w")


def random_controller(name: str, seed: int = 0) -> Controller:
    """The controller of a cell of `SPECS`; masked weights of a CfC are zero, as in training."""
    spec, rng = SPECS[name], np.random.default_rng(seed)
    parameters = {
        key: rng.uniform(0.3, 1.0, shape) if key in POSITIVE else rng.normal(0.0, 0.8, shape)
        for key, shape in spec.parameter_shapes().items()
    }
    cell = spec.cell if isinstance(spec, MixedMemorySpec) else spec
    if isinstance(cell, CfCSpec) and cell.wiring is not None:
        for index, layer in enumerate(cell.layers()):
            for head in ("ff1", "ff2"):
                if f"layer_{index}_{head}_weight" in parameters:
                    parameters[f"layer_{index}_{head}_weight"] *= layer.mask.T
    outputs = spec.outputs
    parameters |= {"readout_weight": rng.normal(size=(1, outputs)), "readout_bias": rng.normal(size=1)}
    return Controller(
        name=name,
        purpose="control",
        observations=tuple(ObservationSignal(f"sensor_{k}") for k in range(INPUTS)),
        normalizer=Scaling(rng.normal(size=INPUTS), rng.uniform(0.5, 2.0, INPUTS)),
        cell=spec,
        parameters=parameters,
        actions=(ActionSignal("drive"),),
        denormalizer=Scaling(np.zeros(1), np.full(1, 2.0)),
        timing=Timing(0.02, 0.01, 0.08, 0.02),
        initial_state=rng.normal(0.0, 0.3, spec.state_size),
        fallback=np.zeros(1),
    )


@pytest.fixture
def controller_of():
    """Makes a random controller of a cell of `SPECS`."""
    return random_controller


@pytest.fixture(params=SPECS)
def controller(request):
    """A random controller of every cell."""
    return random_controller(request.param)


@pytest.fixture
def sequence():
    """Observations ``(8, 5, I)`` and irregular ``dt_s`` ``(8, 5)``."""
    rng = np.random.default_rng(1)
    return rng.normal(size=(8, 5, INPUTS)), rng.uniform(0.01, 0.05, (8, 5))


@pytest.fixture
def actions_of(sequence):
    """Plays a batch over the sequence, with other observations where a test has them: ``(8, 5, 1)``."""

    def play(batch, observation=None, state=None):
        seen, dt_s = sequence
        seen = seen if observation is None else observation
        batch.reset(len(seen))
        if state is not None:
            batch.go_on(state)
        return np.stack([batch.step(seen[:, t], dt_s[:, t]) for t in range(seen.shape[1])], axis=1)

    return play


@pytest.fixture
def visited_of(sequence):
    """The states that a controller goes through along the sequence."""
    from ltc_edge.evaluation.visited import StateRecorder, Visited

    def visit(controller):
        seen, dt_s = sequence
        recorder = StateRecorder(controller)
        recorder.reset(len(seen))
        action = np.stack([recorder.step(seen[:, t], dt_s[:, t]) for t in range(seen.shape[1])], axis=1)
        return Visited(seen, dt_s, recorder.states, action, np.ones(dt_s.shape, dtype=bool))

    return visit
