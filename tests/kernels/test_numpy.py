"""The kernels as a plain library, without torch, against NumPy."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ltc_edge.kernels import compile as kernels
from ltc_edge.kernels.library import load

NUMERICS = Path(__file__).with_name("check_against_numpy.py")

# The compiler splits vectors that the processor lacks. Without optimisation, since it takes long otherwise.
WIDE = ("-O0", "-mavx2", "-mfma", "-DVECTOR_BYTES=64", "-DLTC_EDGE_ISA=generic", "-Wno-psabi")


def check(*arguments):
    done = subprocess.run(
        [sys.executable, NUMERICS, *arguments], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_every_instruction_set():
    if load() is None:
        pytest.skip("the kernels cannot be compiled: there is no C compiler")
    lines = check()
    assert len(lines) > 100
    assert all(line.startswith("ok ") for line in lines)


def test_the_code_for_vectors_of_512_bits_runs_on_any_processor(tmp_path):
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    compiler = kernels.ask_compiler(["clang"])
    if "avx2" not in [each.name for each in compiler.instruction_sets]:
        pytest.skip("this is for x86-64")
    library, sources = tmp_path / "wide.so", sorted(kernels.SOURCE.glob("*.c"))
    flags = [flag for flag in kernels.FLAGS if not flag.startswith("-O")]
    subprocess.run([*compiler.command, *flags, *WIDE, *sources, *kernels.LINK, "-o", library], check=True)
    lines = check(library)
    assert {line.split()[1] for line in lines} == {"generic"}
