"""The same bits in emulated processors as here, whatever compiles for them; what a step takes of them."""

import hashlib
import shutil
import subprocess

import numpy as np
import pytest

from ltc_edge.errors import EmulationError, InputError, MissingToolError
from ltc_edge.export.c import CSources
from ltc_edge.runtimes.c_stepper import CStepper
from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.cross_compiler import FLAGS, find_cross_compiler
from ltc_edge.runtimes.emulated_machine import EmulatedMachine
from ltc_edge.runtimes.firmware_figures import measure_firmware
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.targets import TARGETS, find_target

ROWS = [(target, compiler, "-O2") for target in TARGETS for compiler in ("gcc", "clang")]
ROWS += [("cortex-m4", compiler, level) for compiler in ("gcc", "clang") for level in ("-O0", "-Os", "-O3")]


@pytest.fixture(scope="session")
def emulated(lab):
    """Makes a case's machine on a target, or skips with what is missing."""
    pytest.importorskip("unicorn", reason="unicorn is not installed (extra: firmware)")
    pytest.importorskip("elftools", reason="pyelftools is not installed (extra: firmware)")

    def make(case, target="cortex-m4", compiler=None, level="-O2", **options):
        try:
            find_cross_compiler(find_target(target), compiler)
        except MissingToolError as missing:
            pytest.skip(str(missing))
        flags = ("-std=c99", level, "-ffp-contract=off")
        return EmulatedMachine(
            lab.c_sources(case), lab.controller(case), find_target(target), compiler, flags, **options
        )

    return make


def digest(machine, lab, steps):
    """SHA-256 of statuses, actions and states over random steps, some of them beyond every range."""
    assert machine.selftest() == 0
    assert machine.reset() == 0
    observations, spans = lab.steppers.irregular(steps, seed=11)
    found = hashlib.sha256()
    for index, (x, dt) in enumerate(zip(observations, spans, strict=True)):
        beyond = 1e4 if index % 20 == 7 else 1.0
        status, action = machine.step((x * beyond).astype(np.float32), float(np.float32(dt * beyond)))
        found.update(bytes([status]) + action.astype("<f4").tobytes() + machine.read_state())
    return found.hexdigest()


@pytest.fixture(scope="session")
def here(lab):
    made = {}

    def of(case, steps):
        if (case, steps) not in made:
            machine = HostMachine(lab.c_sources(case), lab.controller(case))
            made[case, steps] = digest(machine, lab, steps)
        return made[case, steps]

    return of


@pytest.mark.parametrize("row", ROWS, ids="-".join)
def test_an_ltc_gives_the_same_bits(lab, emulated, here, ltc, row):
    soft = ltc[1] == "float32" and not find_target(row[0]).fpu
    steps = 5 if soft else 100
    assert digest(emulated(ltc, *row), lab, steps) == here(ltc, steps)


def test_every_kind_gives_the_same_bits(lab, emulated, here, case):
    assert digest(emulated(case), lab, 20) == here(case, 20)


@pytest.mark.parametrize("integer_kind", ["ltc", "cfc pure", "mixed memory, ctrnn", "gru"])
def test_integers_give_the_same_bits_without_a_division(lab, emulated, here, integer_kind):
    case = integer_kind, "int16"
    assert digest(emulated(case, "cortex-m0plus"), lab, 20) == here(case, 20)


def test_it_is_a_stepper_that_can_be_restored(lab, emulated):
    controller = lab.controller("ltc")
    stepper = CStepper(emulated("ltc"), controller, Codes.floating(controller.state_size))
    expected = lab.stepper("ltc")
    observations, spans = lab.steppers.irregular(20)
    first = lab.steppers.run(stepper, observations, spans)
    np.testing.assert_array_equal(first, lab.steppers.run(expected, observations, spans))
    state = stepper.state
    second = lab.steppers.run(stepper, observations, spans)
    stepper.restore(state)
    np.testing.assert_array_equal(lab.steppers.run(stepper, observations, spans), second)
    with pytest.raises(InputError, match="beyond its bounds"):
        stepper.restore(np.full(controller.state_size, 1e9))
    assert "crc" in stepper.machine.version()


def test_figures_of_a_controller(lab, emulated, ltc):
    emulated(ltc)
    figures = measure_firmware(lab.c_sources(ltc), lab.controller(ltc), find_target("cortex-m4"), steps=60)
    least, median, most = figures.instructions
    assert most - least <= 0.01 * median
    assert 0 < figures.stack_bytes <= 512
    assert 0 < figures.ram_bytes <= 256
    assert 1000 < figures.flash_bytes <= 6144
    assert figures.to_json()["instructions_per_step"] == median


def test_instructions_are_those_that_a_second_way_counts(lab, emulated):
    """Counted block by block; here one hook an instruction counts the same selftest."""
    machine = emulated(("gru", "int16"), counted=True)
    machine.selftest()
    counted = machine.instructions
    singly = emulated(("gru", "int16"))
    seen = []
    processor = singly._processor
    processor._uc.hook_add(processor._unicorn.UC_HOOK_CODE, lambda *_: seen.append(1))
    singly.selftest()
    # The hook does not see what an IT block skips.
    assert len(seen) <= counted <= 1.05 * len(seen)


def test_gnu_modes_contract_nothing(lab, tmp_path):
    target = find_target("cortex-m4")
    tool = target.compilers["gcc"]
    if shutil.which(tool.command) is None:
        pytest.skip(f"{tool.command} is not installed (Debian: {tool.package})")
    sources = lab.write(lab.sources("ltc"), tmp_path)
    command = [tool.command, *tool.flags, "-std=gnu11", "-O3", "-S", *sources]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=120)
    assert not any("vfma" in path.read_text() for path in tmp_path.glob("*.s"))


def test_a_controller_too_large_for_its_part_is_refused_with_the_numbers(lab, emulated, tmp_path):
    emulated("ltc")
    text = (find_target_file("cortex-m0plus")).replace("flash_bytes = 131072", "flash_bytes = 4096")
    (tmp_path / "small.toml").write_text(text)
    target = find_target(str(tmp_path / "small.toml"))
    with pytest.raises(InputError, match=r"does not fit small \(4096 bytes of flash, \d+ of RAM\)"):
        EmulatedMachine(lab.c_sources("ltc"), lab.controller("ltc"), target)


def find_target_file(name):
    from importlib import resources

    return resources.files("ltc_edge.targets").joinpath(f"{name}.toml").read_text()


def test_a_program_that_faults_or_hangs_is_one_clear_error(lab, emulated):
    emulated("gru")
    files = dict(lab.sources("gru"))
    for body, message in (
        ("*(volatile uint32_t *)0xF0000000U = 1U;", "demo_check on an emulated cortex-m4: .*"),
        ("for (;;) { }", "still running after"),
    ):
        text = files["demo.c"].decode()
        at = text.index("{", text.index("uint32_t demo_check(void)")) + 1
        broken = CSources("demo", files | {"demo.c": f"{text[:at]} {body} {text[at:]}".encode()}, "float32")
        machine = EmulatedMachine(broken, lab.controller("gru"), find_target("cortex-m4"), None, FLAGS)
        with pytest.raises(EmulationError, match=message):
            machine._processor.call("demo_check", limit=100_000)


def test_no_cross_compiler(lab, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingToolError, match=r"arm-none-eabi-gcc.*Debian: gcc-arm-none-eabi"):
        find_cross_compiler(find_target("cortex-m4"))


def test_the_version_is_read_from_the_sources(lab, ltc):
    sources = lab.c_sources(ltc)
    assert sources.version() == HostMachine(sources, lab.controller(ltc)).version()
    with pytest.raises(InputError, match="not of a controller"):
        CSources("other", sources.files, sources.state_type).version()
