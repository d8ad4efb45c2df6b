"""The kernels on aarch64: the library of the wheel, or cross-compiled, under qemu-user without torch."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import ltc_edge
from ltc_edge.errors import KernelError
from ltc_edge.kernels import compile as kernels
from ltc_edge.kernels import library_file

WHEELS = "LTC_EDGE_WHEELS"
"""Variable: the folder that tools/build_wheels.py wrote."""
COMPILER = "aarch64-linux-gnu-gcc"
NUMERICS = Path(__file__).with_name("check_against_numpy.py")
TOOL = Path(__file__).parents[2] / "tools" / "aarch64_root.py"
SPEC = importlib.util.spec_from_file_location("aarch64_root", TOOL)
aarch64_root = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(aarch64_root)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """A folder from which aarch64 imports ltc_edge with its library."""
    folder = tmp_path_factory.mktemp("aarch64")
    if WHEELS in os.environ:
        (wheel,) = Path(os.environ[WHEELS]).glob("*_aarch64.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
        return folder
    try:
        made = kernels.build(kernels.read_sources(), kernels.ask_compiler([COMPILER]))
    except KernelError as error:
        if shutil.which(COMPILER) is not None:
            raise
        pytest.skip(str(error))
    here = Path(ltc_edge.__file__).parent
    shutil.copytree(here, folder / "ltc_edge", ignore=shutil.ignore_patterns("__pycache__", "libltc_edge_*"))
    library_file.publish(made, folder / "ltc_edge" / "kernels")
    return folder


@pytest.fixture(scope="module")
def python():
    """The emulated interpreter, which finds no compiler."""
    root = aarch64_root.place()
    if not (root / aarch64_root.PYTHON).exists():
        pytest.skip(f"no aarch64 Python in {root}: python tools/aarch64_root.py makes it")
    return root / aarch64_root.PYTHON


def test_the_library_computes_what_numpy_does(python, packages, tmp_path, tmp_path_factory):
    environment = {**os.environ, "PYTHONPATH": str(packages), "XDG_CACHE_HOME": str(tmp_path)}
    expected = tmp_path_factory.mktemp("expected") / "expected.pickle"
    subprocess.run([sys.executable, str(NUMERICS), "--write", str(expected)], check=True)
    # Not in the checkout, whose package would come first.
    done = subprocess.run(
        [str(python), str(NUMERICS), "--expected", str(expected)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert lines
    assert {tuple(line[:2]) for line in lines} == {("ok", "neon")}
    assert list(tmp_path.iterdir()) == []
