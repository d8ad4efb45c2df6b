"""Installing and packaging: wheels of a project whose kernels are tiny, and the check of finished wheels."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from ltc_edge.errors import InputError, KernelError
from ltc_edge.kernels import library_file

CHECKOUT = Path(__file__).parents[2]
KERNELS = Path("ltc_edge", "kernels")
LIBRARY, RECORD = str(KERNELS / library_file.LIBRARY), str(KERNELS / library_file.RECORD)
PLATFORM = sysconfig.get_platform().replace("-", "_")
NEEDED = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "ltc_edge/errors.py", "ltc_edge/version.py")
NEEDED += ("ltc_edge/runtimes/__init__.py", "ltc_edge/runtimes/c_compiler.py")


@pytest.fixture
def project(tmp_path, sources, monkeypatch):
    """What is needed of the checkout to build a wheel, with the tiny sources."""
    pytest.importorskip("setuptools", reason="setuptools is not installed")
    folder = tmp_path / "project"
    for name in NEEDED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, folder / name)
    # As in an environment that is made for the build, what the package needs is not there.
    (folder / "ltc_edge" / "__init__.py").write_text("import what_is_not_installed_yet\n")
    (folder / KERNELS / "source").mkdir(parents=True)
    for path in (CHECKOUT / KERNELS).glob("*.py"):
        shutil.copy(path, folder / KERNELS)
    for name, content in sources.items():
        (folder / KERNELS / "source" / name).write_bytes(content)
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("LTC_EDGE_KERNEL_WHEEL", raising=False)
    return folder


@pytest.fixture
def build(project):
    """Builds through the interface that pip and build use; the wheel, and what was printed."""

    def build(hook, expect=0, **variables):
        script = f"from setuptools import build_meta\nbuild_meta.{hook}('dist')"
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=project,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
        )
        printed = done.stdout + done.stderr
        assert done.returncode == expect, printed
        return next((project / "dist").iterdir(), None), printed

    return build


def libraries(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        assert {str(KERNELS / "source" / name) for name in ("table.h", "dispatch.c", "tiny.kernel.c")} < set(
            names
        )
        return [name for name in names if name in (LIBRARY, RECORD)]


def test_a_wheel_holds_the_library_and_a_pure_one_nothing_of_a_build_before(build):
    wheel, printed = build("build_wheel")
    assert wheel.name.endswith(f"-py3-none-{PLATFORM}.whl")
    assert libraries(wheel) == [RECORD, LIBRARY]
    assert "compiled the fused kernels for" in printed
    wheel.unlink()
    wheel, _ = build("build_wheel", LTC_EDGE_KERNEL_WHEEL="pure")
    assert wheel.name.endswith("-py3-none-any.whl")
    assert libraries(wheel) == []


@pytest.mark.parametrize("compiler", ["no-such-compiler", "arm-none-eabi-gcc"])
def test_a_wheel_without_a_compiler_for_this_platform_is_pure(compiler, build):
    wheel, printed = build("build_wheel", CC=compiler)
    assert wheel.name.endswith("-py3-none-any.whl")
    assert libraries(wheel) == []
    assert printed.count("going on without the fused kernels") == 1


def test_a_wheel_of_another_platform(build):
    name = "aarch64-linux-gnu-gcc" if "aarch64" not in PLATFORM else "x86_64-linux-gnu-gcc"
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    platform = f"linux_{name.split('-')[0]}"
    wheel, _ = build("build_wheel", CC=name, LTC_EDGE_KERNEL_WHEEL=platform)
    assert wheel.name.endswith(f"-py3-none-{platform}.whl")
    assert libraries(wheel) == [RECORD, LIBRARY]


def test_a_library_that_is_demanded_and_cannot_be_had(build):
    wheel, printed = build("build_wheel", 1, CC="no-such-compiler", LTC_EDGE_KERNEL_WHEEL=PLATFORM)
    assert wheel is None
    assert f"error: LTC_EDGE_KERNEL_WHEEL={PLATFORM}: a C compiler is needed" in printed


def test_an_editable_installation_compiles_into_the_checkout(build, project):
    build("build_editable")
    library_file.find(project / KERNELS, None)
    build("build_editable", CC="no-such-compiler")
    assert not (project / LIBRARY).exists()


@pytest.fixture(scope="module")
def build_wheels():
    """The script that makes a release's wheels."""
    for module in ("build", "elftools"):
        pytest.importorskip(module, reason=f"{module} is not installed (extras: dev, firmware)")
    spec = importlib.util.spec_from_file_location("build_wheels", CHECKOUT / "tools" / "build_wheels.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["build_wheels"] = module  # its dataclasses look there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["build_wheels"]


def as_it_is(root):
    pass


def without_library(root):
    library_file.withdraw(root / KERNELS)


@pytest.fixture
def finished(tmp_path, tiny_build, sources):
    """Makes a wheel of files that a test may change first."""
    root = tmp_path / "wheel"
    (root / KERNELS / "source").mkdir(parents=True)
    for name, content in sources.items():
        (root / KERNELS / "source" / name).write_bytes(content)
    library_file.publish(tiny_build, root / KERNELS)
    (root / "ltc_edge-1.dist-info").mkdir()

    def make(platform, change=as_it_is, inside=None):
        (root / "ltc_edge-1.dist-info" / "WHEEL").write_text(f"Tag: py3-none-{inside or platform}\n")
        change(root)
        wheel = tmp_path / f"ltc_edge-1-py3-none-{platform}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path in sorted(root.rglob("*")):
                archive.write(path, path.relative_to(root))
        return wheel

    return make


def test_a_finished_wheel_passes(build_wheels, finished):
    machine = os.uname().machine
    kind = next(kind for kind in build_wheels.KINDS.values() if kind.platform == f"linux_{machine}")
    build_wheels.check(finished(f"manylinux_2_34_{machine}"), kind)
    build_wheels.check(finished("any", without_library), build_wheels.KINDS["pure"])


@pytest.mark.parametrize(
    ("platform", "change", "complaint"),
    [
        ("any", as_it_is, "is not for linux_"),
        ("OURS", without_library, r"holds the libraries \[\], not"),
        ("OURS", lambda root: (root / "extra.so").write_bytes(b""), r"holds the libraries \['extra.so', "),
        ("OURS", lambda root: (root / LIBRARY).write_bytes(b"cut"), "is damaged"),
        (
            "OURS",
            lambda root: (root / KERNELS / "source" / "new.c").write_bytes(b""),
            "made from other sources",
        ),
    ],
)
def test_a_finished_wheel_fails(platform, change, complaint, build_wheels, finished):
    ours = f"linux_{os.uname().machine}"
    kind = next(kind for kind in build_wheels.KINDS.values() if kind.platform == ours)
    with pytest.raises((InputError, KernelError), match=complaint):
        build_wheels.check(finished(platform.replace("OURS", ours), change), kind)


def test_a_finished_wheel_of_another_processor_fails(build_wheels, finished):
    machine = os.uname().machine
    other = next(
        kind for kind in build_wheels.KINDS.values() if kind.machine and kind.platform != f"linux_{machine}"
    )
    with pytest.raises(InputError, match=f"its library is of EM_.*, not of {other.machine}"):
        build_wheels.check(finished(other.platform), other)


def test_a_finished_wheel_with_two_names_fails(build_wheels, finished):
    with pytest.raises(InputError, match="is tagged py3-none-linux_riscv64"):
        build_wheels.check(finished("any", without_library, "linux_riscv64"), build_wheels.KINDS["pure"])
