"""Plants whose physical parameters are off, against Gymnasium's with the same parameters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ltc_edge.errors import TaskError
from ltc_edge.tasks import HasPlantParameters, make_task, task_names
from ltc_edge.tasks.mujoco_plants import load_model, scale_model

gymnasium = pytest.importorskip("gymnasium", reason="gymnasium is not installed (extra: train)")

ACTIVE = np.ones(1, dtype=bool)


def history(plants, action=0.1, steps=8):
    rows = [plants.reset([3]).privileged[0]]
    rows += [plants.step(np.array([[action]]), ACTIVE).privileged[0] for _ in range(steps)]
    plants.close()
    return np.array(rows)


@pytest.mark.parametrize("name", task_names())
def test_every_parameter_counts_and_a_factor_of_one_changes_nothing(name):
    task = make_task(name, "full")
    assert isinstance(task, HasPlantParameters)
    nominal = history(task.make_plants())
    same = history(task.make_plants_off(dict.fromkeys(task.plant_parameters, 1.0)))
    np.testing.assert_array_equal(same, nominal)
    for parameter in task.plant_parameters:
        assert np.abs(history(task.make_plants_off({parameter: 1.5})) - nominal).max() > 1e-7, parameter
    with pytest.raises(TaskError, match="no parameter colour: the plant has"):
        task.make_plants_off({"colour": 2.0})


def test_pendulum_and_cart_pole_move_as_gymnasiums_with_these_parameters():
    env = gymnasium.make("Pendulum-v1").unwrapped
    env.m, env.l = 1.3, 0.8
    env.reset(seed=3)
    for _ in range(8):
        env.step(np.array([0.1]))
    ours = history(make_task("pendulum").make_plants_off({"mass_kg": 1.3, "length_m": 0.8}))
    np.testing.assert_array_equal(ours[-1], env.state)

    env = gymnasium.make("CartPole-v1").unwrapped
    env.masspole, env.length, env.force_mag = 0.1 * 1.3, 0.5 * 0.8, 10.0 * 1.1
    env.total_mass, env.polemass_length = env.masspole + 1.0 * 0.9, env.masspole * env.length
    env.reset(seed=3)
    for _ in range(8):
        env.step(1)
    factors = {"cart_kg": 0.9, "pole_kg": 1.3, "half_length_m": 0.8, "force_n": 1.1}
    ours = history(make_task("cartpole").make_plants_off(factors))
    np.testing.assert_allclose(ours[-1], env.state, rtol=1e-12)


def test_a_pole_of_another_mass_is_one_of_another_density():
    import mujoco

    asset = "inverted_double_pendulum.xml"
    text = (Path(gymnasium.__path__[0]) / "envs/mujoco/assets" / asset).read_text(encoding="utf-8")
    denser = text.replace('rgba="0 0.7 0.7 1"', 'rgba="0 0.7 0.7 1" density="1300"')
    expected, scaled = mujoco.MjModel.from_xml_string(denser), load_model(asset)
    scale_model(scaled, {"pole_mass": 1.3})
    for field in ("body_mass", "body_inertia", "body_subtreemass", "dof_invweight0", "body_invweight0"):
        np.testing.assert_allclose(getattr(scaled, field), getattr(expected, field), rtol=1e-9, err_msg=field)


def test_a_stronger_motor_is_a_larger_action():
    task = make_task("inverted-pendulum", "full")
    stronger = history(task.make_plants_off({"motor_force": 2.0}), action=0.1)
    np.testing.assert_allclose(stronger, history(task.make_plants(), action=0.2), rtol=1e-12)
