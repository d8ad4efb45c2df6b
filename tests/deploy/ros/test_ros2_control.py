"""The generated package: compiled with stand-ins for ROS's headers, and stepped bit for bit.

No registry that tests can reach has the real headers of ros2_control: see stubs/README.md.
"""

import json
import math
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from ruamel.yaml import YAML

from ltc_edge.deploy.ros.package_folder import write_package
from ltc_edge.deploy.ros.ros2_control import control_package, default_interfaces
from ltc_edge.deploy.sources import trusted_sources
from ltc_edge.errors import OutputError
from ltc_edge.signals import ActionSignal, ObservationSignal
from ltc_edge.supervision.codes import Request
from ltc_edge.supervision.supervisor import Input

HERE = Path(__file__).parent
FLAGS = ("-O0", "-Wall", "-Wextra", "-Werror")
HOSTILE = ('"); system("id"); //', "*/ #error", "]]>&<a b='", "${CMAKE} $(id)", "a\n- b: @{x}\t\\", "é☃\0??/")


def cpp(package, *arguments):
    includes = [f"-I{package / part}" for part in ("include", "src/controller", "src/supervisor")]
    command = ["g++", "-std=c++17", *FLAGS, "-Wconversion", "-Wshadow", *includes, f"-I{HERE / 'stubs'}"]
    subprocess.run([*command, *arguments], check=True, timeout=120)


def compiled_c(package):
    includes = [f"-I{package / part}" for part in ("src/controller", "src/supervisor")]
    sources = sorted(package.glob("src/*/*.c"))
    command = ["gcc", "-std=c99", "-ffp-contract=off", *FLAGS, *includes, "-c", *sources]
    subprocess.run(command, check=True, cwd=package, timeout=120)
    return sorted(package.glob("*.o"))


def written(folder, subject, controller=None):
    artifact = trusted_sources(subject.bundle, subject.form)
    package = control_package(controller or subject.controller, artifact, subject.settings)
    write_package(package.files, folder)
    return package


@pytest.fixture(scope="module")
def package(subject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("control") / "package"
    written(folder, subject)
    return folder


@pytest.fixture(scope="module")
def objects(package):
    return compiled_c(package)


@pytest.fixture(scope="module")
def program(package, objects):
    """Steps the plugin, against interfaces as those of ROS 2 Kilted and later."""
    sources = [package / "src/core.cpp", package / "src/plugin.cpp", HERE / "drive_plugin.cpp"]
    together = package / "together.cpp"  # the library's headers are read once, and not three times
    together.write_text("".join(f'#include "{source}"\n' for source in sources))
    cpp(package, "-DSTUB_OPTIONAL", together, *objects, "-o", package / "drive")
    return package / "drive"


def drive(program, lines):
    """What the program says to each line; the first is what ``on_init`` gave."""
    done = subprocess.run(
        [program], input="\n".join(lines), capture_output=True, text=True, timeout=60, check=True
    )
    first, *rest = done.stdout.splitlines()
    assert first == "0"
    return [line.split() for line in rest], done.stderr


def bits(value):
    return f"{int(np.float32(value).view(np.uint32)):08x}"


def test_every_step_has_the_bits_of_the_supervised_controller(program, supervised):
    """With NaN, periods of nothing, gaps, and what is beyond a float; and nothing is allocated."""
    rng = np.random.default_rng(11)
    steps = []
    for index in range(160):
        values = rng.normal(size=2).tolist()
        period_s = float(rng.choice([0.02, 0.02, 0.013, 0.07, 0.0, 1.5]))
        if index in range(40, 50):
            values[index % 2] = (math.nan, math.inf, 1e300)[index % 3]
        steps.append((values, period_s))
    lines = ["set fallback_limit_s 1e9", "configure", "activate"]
    lines += [f"update {period_s!r} {' '.join(map(repr, values))}" for values, period_s in steps]
    said, _ = drive(program, lines)
    supervised.start()
    for index, (values, period_s) in enumerate(steps):
        with np.errstate(over="ignore"):
            seen = np.asarray(values).astype(np.float32).tolist()
        requests = Request.ARM if index == 0 else Request.NONE
        given = Input(seen, float(np.float32(period_s)), (0.0, 0.0), requests=requests)
        assert said[2 + index] == ["0", "0", bits(supervised.step(given).action[0])], index
    assert len({action for _, _, action in said[2:]}) > 50


def test_it_gives_up_for_good_reason_and_leaves_at_rest(program, subject):
    good, bad = "update 0.02 0.3 0.1", "update 0.02 nan 0.1"
    lines = ["set fallback_limit_s 0.1", "configure", "activate", *[good] * 30, *[bad] * 8, "deactivate"]
    said, _ = drive(program, [*lines, "activate", *[good] * 30, "error"])
    codes = [code for code, *_ in said[2:40]]
    assert codes[:30] == ["0"] * 30
    assert codes[30:] == ["0"] * 5 + ["1"] * 3
    resting = bits(subject.settings.resting[0])
    assert said[40:42] == [["0"], ["0", "0", resting]]
    assert {code for code, *_ in said[43:73]} == {"0"}
    assert said[72][2] != resting
    assert said[-1] == ["0", "0", resting]


def test_references_come_from_a_topic_and_grow_old(program):
    lines = ["set state_interfaces -,level/position", "configure", "activate", "update 0.02 0.1", "refer 0.4"]
    lines += ["update 0.02 0.1"] * 30 + ["refer 1 2"]  # as many as it does not take
    said, _ = drive(program, lines)
    actions = [action for _, allocated, action in said[2:]]
    assert {allocated for _, allocated, _ in said[2:]} == {"0"}
    assert len(set(actions)) > 5


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("state_interfaces a/b", "needs 2 state_interfaces"),
        ("state_interfaces a/b,a/b", "named twice"),
        ("command_interfaces -", "has no name"),
        ("fallback_limit_s -1", "must be 0 or more"),
        ("fallback_limit_s nan", "must be 0 or more"),
    ],
)
def test_parameters_that_do_not_fit(program, setting, why):
    said, errors = drive(program, [f"set {setting}", "configure"])
    assert said == [["1"]]
    assert why in errors


def test_a_command_that_is_not_taken_is_a_missed_period(program, subject):
    good = ["configure", "activate", *["update 0.02 0.3 0.1"] * 30]
    lost, _ = drive(program, ["lose 0", "set fallback_limit_s 0.1", *good])
    said, _ = drive(program, ["set fallback_limit_s 0.1", *good])
    assert {code for code, *_ in said} == {"0"}
    assert said[-1][2] != bits(subject.settings.resting[0])
    assert lost[-1][0] == "1"


def test_the_packages_own_test(package, objects):
    cpp(
        package,
        package / "src/core.cpp",
        package / "test/test_core.cpp",
        *objects,
        "-o",
        package / "test_core",
    )
    done = subprocess.run([package / "test_core"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr


def test_names_can_break_no_file(subject, tmp_path, tiny_controller):
    controller = tiny_controller(
        name=HOSTILE[0] + HOSTILE[2],
        observations=(ObservationSignal(HOSTILE[1], HOSTILE[3]), ObservationSignal(HOSTILE[4], HOSTILE[5])),
        actions=(ActionSignal(HOSTILE[5] + HOSTILE[0], HOSTILE[2], -1.0, 1.0),),
    )
    package = written(tmp_path / "hostile", subject, controller)
    folder = tmp_path / "hostile"
    for name in ("package.xml", "plugin.xml"):
        assert ElementTree.parse(folder / name) is not None
    described = ElementTree.parse(folder / "plugin.xml").find("class/description")
    assert HOSTILE[0] in described.text
    settings = YAML(typ="safe").load(folder / "config" / f"{package.name}.yaml")
    parameters = settings[package.name]["ros__parameters"]
    assert tuple(parameters["state_interfaces"]) == package.state_interfaces
    assert tuple(parameters["command_interfaces"]) == package.command_interfaces
    # Against interfaces as those of ROS 2 Jazzy, which give a number and say nothing.
    cpp(folder, "-fsyntax-only", folder / "src/plugin.cpp")
    plain = package.files["CMakeLists.txt"].decode()
    assert not any(name in plain for name in HOSTILE)
    assert json.dumps(plain).isascii()


@pytest.mark.parametrize(
    ("signals", "interfaces"),
    [
        (("hip", "hip_velocity"), ("hip/position", "hip/velocity")),
        (("hip", "hip_position"), ("hip/position", "hip_position/position")),
        (("arm/effort", "a b.torque"), ("arm/effort", "a_b/effort")),
        (("é", "☃"), ("signal_0/position", "signal_1/position")),
    ],
)
def test_interfaces_that_names_tell(signals, interfaces):
    assert default_interfaces(signals, "position") == interfaces


def test_a_folder_is_replaced_only_where_it_is_a_package(subject, tmp_path):
    written(tmp_path / "new", subject)
    with pytest.raises(OutputError, match="exists already"):
        written(tmp_path / "new", subject)
    (tmp_path / "new" / "notes.txt").write_text("mine")
    write_package({"package.xml": b"other"}, tmp_path / "new", force=True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["package.xml"]
    with pytest.raises(OutputError, match="nothing that ltc-edge replaces"):
        write_package({}, tmp_path / "new", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
