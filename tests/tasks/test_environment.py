"""A user's Gymnasium environment and expert, good and bad."""

from __future__ import annotations

import sys

import gymnasium
import numpy as np
import pytest

from ltc_edge.errors import TaskError
from ltc_edge.tasks import CheckedPlants, GymTask, check_task

EXPERTS = """
import numpy as np
seen = []
def swing(observation):
    seen.append((observation.shape, observation.dtype))
    return [0.5 * observation[2]]
def scalar(observation):
    return -2.0
def balance(observation):
    return int(observation[2] + observation[3] > 0)
def as_array(observation):
    return np.array([1])
def raises(observation):
    raise ValueError("no such\\nplan")
def wrong_shape(observation):
    return np.zeros(3)
def not_a_number(observation):
    return [float("nan")]
def nothing(observation):
    return None
def third_choice(observation):
    return 2
def fraction(observation):
    return 0.5
number = 3
"""


@pytest.fixture
def experts(tmp_path, monkeypatch):
    (tmp_path / "my_experts_for_tests.py").write_text(EXPERTS)
    monkeypatch.chdir(tmp_path)
    yield "my_experts_for_tests"
    sys.modules.pop("my_experts_for_tests", None)


class Scripted(gymnasium.Env):
    """An environment whose spaces and misbehaviour the test chooses."""

    metadata = {"render_modes": []}  # noqa: RUF012

    def __init__(self, observation_space=None, action_space=None, truncate_at=None, fail=False):
        self.observation_space = observation_space or gymnasium.spaces.Box(-1, 1, (2,))
        self.action_space = action_space or gymnasium.spaces.Discrete(3, start=-1)
        self.truncate_at, self.fail, self.steps, self.taken = truncate_at, fail, 0, []

    def reset(self, *, seed=None, options=None):  # noqa: ARG002
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(2, dtype=np.float32), {}

    def step(self, action):
        if self.fail:
            raise RuntimeError("motor\nburnt")
        self.steps += 1
        self.taken.append(action)
        observation = np.array([self.steps, action], dtype=np.float32)
        return observation, 1.0, False, self.steps == self.truncate_at, {}


@pytest.fixture
def registered():
    made = []

    def register(**arguments):
        env_id = f"Scripted{len(gymnasium.registry)}-v0"
        gymnasium.register(env_id, entry_point=Scripted, kwargs=arguments, max_episode_steps=10)
        made.append(env_id)
        return env_id

    yield register
    for env_id in made:
        del gymnasium.registry[env_id]


def test_box_environment(experts):
    task = GymTask.from_environment("Pendulum-v1", f"{experts}:swing")
    check_task(task, "Pendulum-v1")
    assert [signal.name for signal in task.observations] == ["obs0", "obs1", "obs2"]
    assert (task.actions[0].low, task.actions[0].high) == (-2.0, 2.0)
    assert (task.period_s, task.max_steps) == (0.05, 200)
    plants = CheckedPlants(task)
    readings = plants.reset([5, 6])
    env = gymnasium.make("Pendulum-v1")
    expected, _ = env.reset(seed=6)
    for _ in range(30):
        np.testing.assert_array_equal(readings.observation[1], expected)
        action = plants.expert(readings.privileged)
        readings = plants.step(action, np.ones(2, dtype=bool))
        expected, reward, *_ = env.step(action[1].astype(np.float32))
        assert readings.reward[1] == reward
    plants.close()
    env.close()
    import my_experts_for_tests

    assert set(my_experts_for_tests.seen) == {((3,), np.dtype("float32"))}


def test_observe_hides_observations_from_the_controller_only(experts):
    task = GymTask.from_environment("Pendulum-v1", f"{experts}:swing", observe=[0, 1])
    assert [signal.name for signal in task.observations] == ["obs0", "obs1"]
    readings = task.make_plants().reset([0])
    assert (readings.observation.shape, readings.privileged.shape) == ((1, 2), (1, 3))


@pytest.mark.parametrize("observe", [[], [0, 0], [3], [-1]])
def test_observe_must_be_indices(experts, observe):
    with pytest.raises(TaskError, match="observe must be different indices from 0 to 2"):
        GymTask.from_environment("Pendulum-v1", f"{experts}:swing", observe=observe)


def test_a_number_will_do_for_one_action(experts):
    task = GymTask.from_environment("Pendulum-v1", f"{experts}:scalar")
    np.testing.assert_array_equal(task.expert(np.zeros((2, 3))), [[-2.0], [-2.0]])


def test_discrete_environment(experts):
    task = GymTask.from_environment("CartPole-v1", f"{experts}:balance")
    assert [signal.name for signal in task.actions] == ["score0", "score1"]
    assert task.period_s == pytest.approx(1 / 50)
    np.testing.assert_array_equal(task.expert(np.array([[0, 0, 1, 0], [0, 0, -1, 0.0]])), [[-1, 1], [1, -1]])
    plants = CheckedPlants(task)
    readings = plants.reset([0])
    for _ in range(100):
        readings = plants.step(plants.expert(readings.privileged), np.ones(1, dtype=bool))
        assert not readings.terminated[0]
    plants.close()


def test_discrete_start_is_honoured(experts, registered):
    env_id = registered()
    task = GymTask.from_environment(env_id, f"{experts}:as_array", period_s=0.1)
    np.testing.assert_array_equal(task.expert(np.zeros((1, 2))), [[-1, -1, 1]])
    plants = task.make_plants()
    plants.reset([0])
    readings = plants.step(np.array([[0.2, -0.3, 0.1]]), np.ones(1, dtype=bool))
    assert readings.observation[0, 1] == -1


def test_an_episode_the_environment_truncates_has_ended(experts, registered):
    task = GymTask.from_environment(registered(truncate_at=3), f"{experts}:as_array", period_s=0.1)
    plants = task.make_plants()
    plants.reset([0, 1])
    ended = [
        plants.step(np.zeros((2, 3)), np.array([True, step != 0])).terminated.tolist() for step in range(3)
    ]
    assert ended == [[False, False], [False, False], [True, False]]


def test_the_time_limit_is_left_to_the_caller(experts):
    task = GymTask.from_environment("Pendulum-v1", f"{experts}:swing")
    plants = task.make_plants()
    plants.reset([0])
    for _ in range(task.max_steps + 5):
        assert not plants.step(np.zeros((1, 1)), np.ones(1, dtype=bool)).terminated[0]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("raises", "raised ValueError: no such plan"),
        ("wrong_shape", r"returned shape \(3,\), expected 1 finite numbers: shape \(1,\)"),
        ("not_a_number", r"returned \[nan\], expected 1 finite numbers"),
        ("nothing", "returned .*, expected 1 finite numbers"),
    ],
)
def test_bad_expert_is_named_with_the_step(experts, function, message):
    plants = CheckedPlants(GymTask.from_environment("Pendulum-v1", f"{experts}:{function}"))
    readings = plants.reset([0])
    readings = plants.step(np.zeros((1, 1)), np.ones(1, dtype=bool))
    with pytest.raises(TaskError, match=f"step 1: the expert {experts}:{function} {message}") as caught:
        plants.expert(readings.privileged)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("function", ["third_choice", "fraction", "nothing", "wrong_shape"])
def test_bad_choice(experts, function):
    task = GymTask.from_environment("CartPole-v1", f"{experts}:{function}")
    with pytest.raises(TaskError, match="expected an integer from 0 to 1"):
        task.expert(np.zeros((1, 4)))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("no_such_module:f", "there is no module no_such_module"),
        ("{experts}:no_such", "has no no_such"),
        ("{experts}", "write package.module:attribute"),
        ("{experts}:number", "a int, not a function of an observation"),
    ],
)
def test_bad_expert_reference(experts, reference, message):
    with pytest.raises(TaskError, match=message):
        GymTask.from_environment("Pendulum-v1", reference.format(experts=experts))


def test_unknown_environment_suggests_the_nearest(experts):
    with pytest.raises(TaskError, match=r"'Pendulm-v1' cannot be made: .*Pendulum") as caught:
        GymTask.from_environment("Pendulm-v1", f"{experts}:swing")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spaces", "message"),
    [
        (
            {"observation_space": gymnasium.spaces.Box(0, 255, (8, 8, 3), np.uint8)},
            r"Box of shape \(8, 8, 3\)",
        ),
        ({"observation_space": gymnasium.spaces.Dict({"a": gymnasium.spaces.Discrete(2)})}, "not Dict"),
        ({"action_space": gymnasium.spaces.MultiDiscrete([2, 2])}, "actions must be a vector"),
    ],
)
def test_other_spaces_are_refused(experts, registered, spaces, message):
    with pytest.raises(TaskError, match=message):
        GymTask.from_environment(registered(**spaces), f"{experts}:swing", period_s=0.1)


def test_period_is_asked_for_when_not_declared(experts, registered):
    with pytest.raises(TaskError, match="declares no control period: give one in seconds"):
        GymTask.from_environment(registered(), f"{experts}:swing")
    with pytest.raises(TaskError, match="positive time"):
        GymTask.from_environment("Pendulum-v1", f"{experts}:swing", period_s=-1.0)


def test_length_is_asked_for_when_not_declared(experts, registered):
    env_id = registered()
    gymnasium.registry[env_id].max_episode_steps = None
    with pytest.raises(TaskError, match="declares no episode length: give one in steps"):
        GymTask.from_environment(env_id, f"{experts}:as_array", period_s=0.1)
    task = GymTask.from_environment(env_id, f"{experts}:as_array", period_s=0.1, max_steps=40)
    assert task.max_steps == 40


def test_an_id_may_name_a_module_in_the_current_folder(experts, tmp_path):
    source = "import gymnasium\nfrom gymnasium.envs.classic_control import PendulumEnv\n"
    source += "gymnasium.register('Mine-v0', entry_point=PendulumEnv, max_episode_steps=33)\n"
    (tmp_path / "my_envs_for_tests.py").write_text(source)
    task = GymTask.from_environment("my_envs_for_tests:Mine-v0", f"{experts}:swing")
    assert task.max_steps == 33
    assert task.make_plants().reset([0]).observation.shape == (1, 3)
    del gymnasium.registry["Mine-v0"]
    sys.modules.pop("my_envs_for_tests")


def test_environment_that_raises(experts, registered):
    plants = GymTask.from_environment(registered(fail=True), f"{experts}:swing", period_s=0.1).make_plants()
    plants.reset([0])
    with pytest.raises(TaskError, match="step raised RuntimeError: motor burnt"):
        plants.step(np.zeros((1, 3)), np.ones(1, dtype=bool))
