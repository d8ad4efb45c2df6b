"""The synapse-list form against the float64 reference, and the proved bounds against random runs."""

import dataclasses

import numpy as np
import pytest

from ltc_edge import Controller, InputError, ObservationSignal, ReferenceStepper, Scaling, Timing, wiring
from ltc_edge.cells import GatedSpec, LTCSpec
from ltc_edge.export import lower_ltc, state_bounds
from ltc_edge.signals import ActionSignal


def random_controller(seed: int, *, readout: bool = False, affine: bool = True, positivity: str = "softplus"):
    rng = np.random.default_rng(seed)
    spec = LTCSpec(wiring.auto_ncp(3, 12, 2, seed=seed), unfolds=4, positivity=positivity, affine=affine)
    parameters = {name: rng.normal(size=shape) * 2 for name, shape in spec.parameter_shapes().items()}
    if positivity == "clamp":
        for name in ("w", "sensory_w", "cm", "gleak"):
            parameters[name] = np.abs(parameters[name])
    if readout:
        parameters |= {"readout_weight": rng.normal(size=(2, 2)), "readout_bias": rng.normal(size=2)}
    return Controller(
        name="random",
        purpose="control",
        observations=tuple(ObservationSignal(name) for name in "abc"),
        normalizer=Scaling(rng.normal(size=3), rng.uniform(0.1, 3, size=3)),
        cell=spec,
        parameters=parameters,
        actions=(ActionSignal("u"), ActionSignal("v")),
        denormalizer=Scaling(rng.normal(size=2), rng.uniform(0.1, 3, size=2)),
        timing=Timing(0.02, 1e-4, 10.0, 0.02),
        initial_state=rng.normal(size=12),
        fallback=np.zeros(2),
        clip=5.0,
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("options", [{}, {"readout": True}, {"affine": False}, {"positivity": "clamp"}])
def test_equals_the_reference_over_irregular_steps(seed, options):
    controller = random_controller(seed, **options)
    lowered, stepper = lower_ltc(controller), ReferenceStepper(controller)
    rng = np.random.default_rng(seed)
    state = controller.initial_state
    for _ in range(200):
        observation, dt = rng.normal(size=3) * 10, float(np.exp(rng.uniform(-6, 1)))
        action, state = lowered.step(observation, dt, state)
        np.testing.assert_allclose(action, stepper.step(observation, dt), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(state, stepper.state, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("seed", range(20))
def test_state_never_leaves_its_bounds(seed):
    controller = random_controller(seed, positivity="clamp" if seed % 2 else "softplus")
    bounds, stepper = state_bounds(controller), ReferenceStepper(controller)
    rng = np.random.default_rng(seed)
    reached = []
    for _ in range(100):
        stepper.step(rng.normal(size=3) * 10.0 ** rng.uniform(-2, 4), float(10.0 ** rng.uniform(-4, 1)))
        reached.append(stepper.state)
    assert (np.array(reached) >= bounds.low - 1e-12).all()
    assert (np.array(reached) <= bounds.high + 1e-12).all()
    assert (bounds.low < bounds.high).all()


def test_operations_count_synapses_and_not_pairs():
    controller = random_controller(0)
    operations = lower_ltc(controller).operations()
    recurrent, sensory = len(controller.cell.wiring.synapses), len(controller.cell.wiring.sensory_synapses)
    assert operations.sigmoids == sensory + 4 * recurrent
    assert operations.divisions == 4 * 12


def test_other_cells_are_refused():
    controller = random_controller(0)
    spec = GatedSpec("gru", 3, 4)
    parameters = {name: np.zeros(shape) for name, shape in spec.parameter_shapes().items()}
    parameters |= {"readout_weight": np.zeros((2, 4)), "readout_bias": np.zeros(2)}
    gru = dataclasses.replace(controller, cell=spec, parameters=parameters, initial_state=np.zeros(4))
    for function in (lower_ltc, state_bounds):
        with pytest.raises(InputError, match="not"):
            function(gru)
