"""Formats through the agent on aarch64: the real runtimes' wheels and cross-compiled C, under qemu-user."""

import importlib.util
import shutil
from pathlib import Path

import pytest

from ltc_edge.bundle.pipeline import ExportOptions, export_bundle
from ltc_edge.bundle.subject import read_subject
from ltc_edge.controller_file import save_controller
from ltc_edge.errors import MissingToolError
from ltc_edge.profiling import linux
from ltc_edge.profiling.places import Local
from ltc_edge.profiling.profile import profile
from ltc_edge.profiling.request import Request
from ltc_edge.profiling.settings import Settings
from ltc_edge.profiling.static_program import MACHINES
from ltc_edge.profiling.subject import read_profile_subject
from ltc_edge.runtimes.cross_compiler import find_cross_compiler
from ltc_edge.targets import find_target

SCRIPT = Path(__file__).parents[2] / "tools" / "aarch64_root.py"
SPEC = importlib.util.spec_from_file_location("aarch64_root", SCRIPT)
aarch64_root = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(aarch64_root)

SAME_BITS = ("tflite-int16x8", "c-float32", "c-int16")
"""Integers, and C that contracts no multiplication with an addition: processors do not differ."""
ROUNDED = ("onnx", "tflite")
"""The runtimes sum and approximate otherwise on each processor."""
ROUNDING = 1e-6
"""Of actions between -1 and 1: a few roundings of float32, which 16 bits would be far beyond."""
# Nothing that is timed is looked at.
SETTINGS = Settings(
    iterations=10, seconds=1.0, warmup=1, rounds=1, compiler_flags=("-std=c99", "-O1", "-ffp-contract=off")
)


@pytest.fixture(scope="module")
def python():
    """The emulated interpreter."""
    root = aarch64_root.place()
    if not (root / aarch64_root.PYTHON).exists():
        pytest.skip(f"no aarch64 Python in {root}: python tools/aarch64_root.py makes it")
    try:
        find_cross_compiler(find_target(MACHINES["aarch64"]), "gcc")
    except MissingToolError as missing:
        pytest.skip(str(missing))
    return str(root / aarch64_root.PYTHON)


@pytest.fixture(scope="module")
def profiles(python, tiny_controller, tmp_path_factory):
    """The profile of one bundle on this machine, and on aarch64; and the folder that agents worked in."""
    pytest.importorskip("ai_edge_litert", reason="ai-edge-litert is not installed (extra: litert)")
    folder = tmp_path_factory.mktemp("aarch64")
    save_controller(tiny_controller(), folder / "tiny.safetensors")
    options = ExportOptions(formats=SAME_BITS + ROUNDED, verify=False)
    export_bundle(read_subject(folder / "tiny.safetensors"), folder / "bundle", options)
    subject = read_profile_subject(folder / "bundle", (), ())
    (folder / "agents").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linux, "BATCH_NS", 20_000)
        patch.setattr(linux, "BATCHES", 2)
        found = [
            profile(
                subject,
                Request("local", Local(), SETTINGS, python=interpreter, folder=str(folder / "agents")),
                lambda *_: None,
            )
            for interpreter in (None, python)
        ]
    return *found, folder / "agents"


def test_the_agent_finds_an_aarch64_without_compiler(profiles):
    _, there, folder = profiles
    inventory = there["device"]["inventory"]
    assert (inventory["machine"], inventory["pointer_bits"]) == ("aarch64", 64)
    assert inventory["compiler"] is None
    assert all(inventory["packages"][name] for name in ("numpy", "onnxruntime", "ai-edge-litert"))
    assert there["device"]["userland"] == "aarch64-linux-gnu"
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("name", SAME_BITS + ROUNDED)
def test_a_format_does_there_what_it_does_here(name, profiles):
    here, there = (found["formats"][name] for found in profiles[:2])
    assert (here["status"], there["status"]) == ("ok", "ok"), there["detail"]
    tolerance = 0.0 if name in SAME_BITS else ROUNDING
    for key in ("max_abs_error", "rms_over_sigma"):
        assert there[key] == pytest.approx(here[key], rel=0.0, abs=tolerance)


def test_c_is_sent_as_a_program(profiles):
    here, there, _ = profiles
    for name in ("c-float32", "c-int16"):
        assert there["formats"][name]["runtime"]["name"] == "C, a static program"
        assert there["formats"][name]["runtime"]["compiler"].startswith("aarch64-linux-gnu-gcc")
        # Where the emulator stops for the sampling timer, it does so in parts of the step.
        assert there["formats"][name]["stages"]["unfolds"] > 0.0
        assert here["formats"][name]["runtime"]["name"] == "C, compiled there"


def test_a_folder_that_the_tool_did_not_make_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(aarch64_root.InputError, match="was not made by this"):
        aarch64_root.make(tmp_path)
    assert (tmp_path / "mine").read_text() == "precious"


def test_the_tool_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingToolError, match="apt-get is not installed"):
        aarch64_root.make(tmp_path / "root")
    assert list(tmp_path.iterdir()) == []
