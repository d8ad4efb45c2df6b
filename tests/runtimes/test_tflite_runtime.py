"""Files for tflite-runtime 2.14 in an environment of its own: it needs a numpy older than ours."""

import importlib.util
import json
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")

from ltc_edge.runtimes.litert_runtime import LiteRTStepper

REPOSITORY = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location(
    "litert_cases", Path(__file__).parents[1] / "export" / "litert" / "conftest.py"
)
cases = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(cases)

SCRIPT = """
import json, sys
import numpy as np
from tflite_runtime.interpreter import Interpreter
job = json.load(sys.stdin)
interpreter = Interpreter(model_path=job["model"], num_threads=1)
runner = interpreter.get_signature_runner("serving_default")
dtype = {d["name"]: d["dtype"] for d in interpreter.get_input_details()}
state = np.array([job["state"]], dtype=dtype["state_in"])
actions, states = [], []
for observation, dt in zip(job["observation"], job["dt"]):
    out = runner(
        observation=np.array([observation], dtype=dtype["observation"]),
        dt=np.array([[dt]], dtype=dtype["dt"]),
        state_in=state,
    )
    state = out["state_out"]
    actions.append(out["action"][0].tolist())
    states.append(state[0].tolist())
json.dump({"action": actions, "state": states, "numpy": np.__version__}, sys.stdout)
"""


@pytest.fixture(scope="session")
def old_python(tmp_path_factory):
    """A Python with tflite-runtime 2.14 and numpy 1; LTC_EDGE_TFLITE_PYTHON names one that is there."""
    given = os.environ.get("LTC_EDGE_TFLITE_PYTHON")
    if given:
        return Path(given)
    if sys.version_info[:2] not in ((3, 9), (3, 11)) or platform.system() != "Linux":
        pytest.skip("tflite-runtime 2.14 has wheels for Python 3.9 and 3.11 on Linux only")
    folder = tmp_path_factory.mktemp("tflite")
    venv.create(folder)
    python = folder / "bin" / "python"
    # This environment's own pip: to put one into the new environment takes longer than all else.
    install = [sys.executable, "-m", "pip", "--python", python, "install"]
    install += ["--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*install, "--only-binary", ":all:", "tflite-runtime==2.14.0", "numpy<2"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        pytest.skip(f"pip cannot install tflite-runtime 2.14: {done.stderr.strip().splitlines()[-1][:200]}")
    return python


def run_old(python, path, interface, observations, spans):
    """What the old runtime makes of the same codes."""
    job = {
        "model": str(path),
        "state": interface.state.encode(interface.reset_state).tolist(),
        "observation": [interface.observation.encode(o).tolist() for o in observations],
        "dt": [interface.dt.encode(np.array([dt])).item() for dt in spans],
    }
    done = subprocess.run(
        [python, "-c", SCRIPT], input=json.dumps(job), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-500:]
    result = json.loads(done.stdout)
    assert result["numpy"].startswith("1.")
    return np.array(result["action"]), np.array(result["state"])


@pytest.mark.slow
@pytest.mark.parametrize("form", ["legacy", "float32"])
@pytest.mark.parametrize("kind", ["ltc", "ltc clamp", "cfc", "cfc wired pure", "lstm", "mixed memory, ltc"])
def test_both_runtimes_agree(old_python, tmp_path, kind, form):
    content, interface = cases.model(kind, form)
    path = tmp_path / "controller.tflite"
    path.write_bytes(content)
    built = cases.controller(kind)
    observations, spans = cases.steppers.irregular(200)
    spans = np.clip(spans, built.timing.dt_min_s, built.timing.dt_max_s)
    codes, _ = run_old(old_python, path, interface, observations, spans)
    old = np.array([interface.action.decode(c.astype(interface.action.dtype)) for c in codes])
    old = np.clip(old, *built.limits)
    new = cases.steppers.run(LiteRTStepper(path, built), observations, spans)
    if form == "float32":
        assert (np.abs(old - new) <= 2e-5 * np.array([1.0, 40.0])).all()
    else:
        # Sums that end near a tie are rounded another way, which a state carries on.
        rms = np.sqrt(((old - new) ** 2).mean(axis=0)) / new.std(axis=0)
        assert (rms < 0.01).all(), rms


@pytest.mark.slow
def test_the_stepper_runs_on_the_old_runtime(old_python, tmp_path):
    """With numpy 1 and without ai-edge-litert, as on an older board."""
    content, _ = cases.model("ltc", "legacy")
    path = tmp_path / "controller.tflite"
    path.write_bytes(content)
    script = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ltc_edge.runtimes.litert_file import read_litert
from ltc_edge.runtimes.litert_runtime import _interpreter
content = open(sys.argv[2], "rb").read()
interpreter = _interpreter(content, sys.argv[2])
print(type(interpreter).__module__, len(read_litert(content, "it").operators))
"""
    done = subprocess.run(
        [old_python, "-c", script, REPOSITORY, path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-800:]
    assert done.stdout.startswith("tflite_runtime.interpreter")
