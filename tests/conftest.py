"""What every test module may rely on."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import ActionSignal, Controller, ObservationSignal, Scaling, Timing, wiring
from ltc_edge.cells import LTCSpec

# Helpers of the tests, for conftests and test modules to import.
sys.path.insert(0, str(Path(__file__).parent / "support"))

import compiled_once
from made_once import FOLDER

# Triton reads it when it is first imported, which torch may do: without a GPU its kernels are interpreted.
if not Path("/dev/nvidiactl").exists():
    os.environ.setdefault("TRITON_INTERPRET", "1")

TINY_TASK = """
import numpy as np
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.tasks import Readings


class Lags:
    def reset(self, seeds):
        draws = [np.random.default_rng(seed).uniform(-1, 1, size=2) for seed in seeds]
        self.state = np.stack(draws)
        return self.readings(np.zeros(len(seeds)))

    def step(self, action, active):
        moved = self.state[:, 1] + 0.1 * (action[:, 0] - self.state[:, 1])
        self.state = np.column_stack([self.state[:, 0], np.where(active, moved, self.state[:, 1])])
        return self.readings(-((self.state[:, 0] - self.state[:, 1]) ** 2))

    def readings(self, reward):
        size = len(self.state)
        return Readings(
            observation=self.state.copy(), dt_s=np.full(size, 0.02), privileged=self.state.copy(),
            reward=reward, terminated=np.zeros(size, dtype=bool),
        )

    def close(self):
        pass


class Lag:
    name = "lag"
    summary = "Follow a level"
    observations = (ObservationSignal("target"), ObservationSignal("level"))
    actions = (ActionSignal("drive", "V", -1.0, 1.0),)
    period_s = 0.02
    dt_range_s = (0.02, 0.02)
    max_steps = 25
    reward_threshold = None

    def make_plants(self):
        return Lags()

    def expert(self, privileged):
        return np.clip(privileged[:, :1], -1.0, 1.0)
"""


def pytest_configure(config: pytest.Config) -> None:
    """Workers inherit the folder of what is made once."""
    if not hasattr(config, "workerinput"):
        folder = os.environ[FOLDER] = tempfile.mkdtemp(prefix="ltc-edge-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Where nobody asks for another, the order of ``turns``."""
    from turns import Turns

    return Turns.for_xdist(config, log) if config.option.dist == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        from turns import in_turns

        in_turns(items)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI every tool and every recording is there, so a skipped test is a failure."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI") or hasattr(session.config, "workerinput"):
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and exitstatus == pytest.ExitCode.OK:
        for report in skipped:
            reporter.write_line(f"skipped in CI: {report.nodeid}: {report.longrepr}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session", autouse=True)
def c_objects():
    """Objects of C, each compiled once; the package compiles by way of them."""
    made = compiled_once.Objects(Path(os.environ[FOLDER], "objects"))
    with pytest.MonkeyPatch.context() as patch:
        made.patch(patch)
        yield made


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real recordings: LTC_EDGE_DATA, or ``shared/data`` beside the checkout."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LTC_EDGE_DATA", beside))
    if not folder.is_dir():
        pytest.skip("no recordings: set LTC_EDGE_DATA to their folder")
    return folder


def make_tiny_controller(**changes: object) -> Controller:
    """A controller of eight neurons that survives 16 bits: synapses of plausible size, no slew limit."""
    cell = LTCSpec(wiring.auto_ncp(2, 8, 1, seed=3), unfolds=4)
    rng = np.random.default_rng(2)
    ranges = {"gleak": (0.1, 0.3), "cm": (0.4, 0.6), "w": (0.5, 2), "sigma": (3, 6), "mu": (-0.2, 0.2)}
    ranges |= {"erev": (-1, 1), "input_w": (0.8, 1.2), "output_w": (1, 3)}
    parameters = {
        name: rng.uniform(*ranges.get(name.removeprefix("sensory_"), (-0.1, 0.1)), size=shape)
        for name, shape in cell.parameter_shapes().items()
    }
    for name in ("erev", "sensory_erev"):
        parameters[name] = np.sign(parameters[name])
    parameters |= {"readout_weight": np.array([[2.0]]), "readout_bias": np.array([-0.78])}
    parts = {
        "name": "tiny",
        "purpose": "control",
        "observations": (ObservationSignal("target"), ObservationSignal("level")),
        "normalizer": Scaling(np.array([0.0, 0.1]), np.array([0.6, 0.5])),
        "cell": cell,
        "parameters": {name: array.astype(np.float32) for name, array in parameters.items()},
        "actions": (ActionSignal("drive", "V", -1.0, 1.0),),
        "denormalizer": Scaling(np.zeros(1), np.ones(1)),
        "timing": Timing(0.02, 0.01, 0.08, 0.02),
        "initial_state": np.zeros(cell.state_size),
        "fallback": np.zeros(1),
        "clip": 4.0,
    }
    return Controller(**(parts | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def tiny_controller():
    """Makes the tiny controller, with what a test wants otherwise."""
    return make_tiny_controller


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory):
    """A folder with ``tiny_task.py``, whose ``Lag`` is the tiny controller's task, as current folder."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "tiny_task.py").write_text(TINY_TASK)
    yield folder
    sys.modules.pop("tiny_task", None)


@pytest.fixture(scope="session")
def unverified_bundle(tiny_controller, tmp_path_factory):
    """Makes a bundle of the tiny controller in some formats, which is quick; copy it to change it."""
    from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
    from ltc_edge.bundle.subject import read_subject
    from ltc_edge.controller_file import save_controller

    def make(*formats):
        folder = tmp_path_factory.mktemp("unverified")
        save_controller(tiny_controller(), folder / "tiny.safetensors")
        options = ExportOptions(formats=formats, verify=False)
        export_bundle(read_subject(folder / "tiny.safetensors"), folder / "bundle", options)
        return folder / "bundle"

    return make
