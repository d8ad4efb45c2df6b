"""Flight code of the tiny controller, compiled against stand-ins for the headers of PX4 and the Crazyflie."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.supervision.compiled import SupervisedController


@pytest.fixture(scope="session")
def flight_bundle(unverified_bundle):
    """The tiny controller in C."""
    return load_bundle(unverified_bundle("c-float32"))


@pytest.fixture(scope="session")
def twin(flight_bundle):
    """The same supervisor and C in this process; start it before use."""
    return SupervisedController.of_bundle(flight_bundle)


@pytest.fixture(scope="session")
def build():
    """Compiles and links sources with the compilers of this machine; C and C++ have flags of their own."""

    def make(folder, sources, c_flags, cxx_flags, link=()):
        if shutil.which("gcc") is None or shutil.which("g++") is None:
            pytest.skip("no gcc and g++")
        place = folder / "objects"
        place.mkdir()
        for compiler, suffix, flags in (("gcc", ".c", c_flags), ("g++", ".cpp", cxx_flags)):
            own = [str(source) for source in sources if source.suffix == suffix]
            command = [compiler, *flags, "-c", *own]
            done = subprocess.run(
                command, cwd=place, capture_output=True, text=True, timeout=120, check=False
            )
            assert done.returncode == 0 or not own, done.stderr
            assert done.stderr == "" or not own
        objects = sorted(map(str, place.glob("*.o")))
        subprocess.run(["g++", *objects, "-o", str(folder / "program"), *link], check=True, timeout=120)
        return folder / "program"

    return make
