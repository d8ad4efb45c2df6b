"""The same bits on Cortex-M as here: cross-compiled, and run in an emulator."""

import hashlib
import shutil
import struct
import subprocess

import numpy as np
import pytest

GCC = "arm-none-eabi-gcc"
CODE, RAM, STACK, STOP = 0x10000, 0x20000000, 0x2001F000, 0x80000
CONTEXT, OBSERVATION, ACTION = RAM, RAM + 0x4000, RAM + 0x5000
LAYOUT = "SECTIONS { . = 0x10000; .text : { *(.text* .rodata* .data*) } .bss : { *(.bss* COMMON) } }"
TARGETS = {
    "m4f": ("-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    "m0plus": ("-mcpu=cortex-m0plus", "-mfloat-abi=soft"),
    "m7": ("-mcpu=cortex-m7", "-mfloat-abi=hard", "-mfpu=fpv5-sp-d16"),
}


class CortexM:
    """A controller in an emulated Cortex-M; counts instructions where asked."""

    def __init__(self, folder, sources, flags, *, hard, count=False):
        unicorn = pytest.importorskip("unicorn", reason="unicorn is not installed")
        from unicorn import arm_const

        (folder / "layout.ld").write_text(LAYOUT)
        command = [GCC, *flags, "-mthumb", "-ffreestanding", "-nostdlib", "-Wl,--entry=0", "-T", "layout.ld"]
        _run(*command, *sources, "-lgcc", "-o", "image.elf", cwd=folder)
        _run("arm-none-eabi-objcopy", "-O", "binary", "image.elf", "image.bin", cwd=folder)
        lines = [line.split() for line in _run("arm-none-eabi-nm", "image.elf", cwd=folder).splitlines()]
        self._symbols = {line[2]: int(line[0], 16) for line in lines if len(line) == 3}
        self._uc = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        self._uc.ctl_set_cpu_model(arm_const.UC_CPU_ARM_CORTEX_M4)
        self._uc.mem_map(CODE, 0x80000)
        self._uc.mem_map(RAM, 0x20000)
        self._uc.mem_write(CODE, (folder / "image.bin").read_bytes())
        self._registers, self._hard = arm_const, hard
        self.instructions, self.lowest = 0, STACK
        if count:
            self._uc.hook_add(unicorn.UC_HOOK_CODE, self._count)

    def _count(self, uc, *_):
        self.instructions += 1
        self.lowest = min(self.lowest, uc.reg_read(self._registers.UC_ARM_REG_SP))

    def call(self, name, *words):
        names = self._registers
        for index, word in enumerate(words):
            self._uc.reg_write(names.UC_ARM_REG_R0 + index, word)
        self._uc.reg_write(names.UC_ARM_REG_SP, STACK)
        self._uc.reg_write(names.UC_ARM_REG_LR, STOP | 1)
        self.instructions, self.lowest = 0, STACK
        self._uc.emu_start(self._symbols[name] | 1, STOP)
        return self._uc.reg_read(names.UC_ARM_REG_R0)

    def step(self, observation, dt, actions):
        self._uc.mem_write(OBSERVATION, np.asarray(observation, dtype="<f4").tobytes())
        (word,) = struct.unpack("<I", struct.pack("<f", dt))
        if self._hard:
            self._uc.reg_write(self._registers.UC_ARM_REG_S0, word)
            status = self.call("demo_step", CONTEXT, OBSERVATION, ACTION)
        else:
            status = self.call("demo_step", CONTEXT, OBSERVATION, word, ACTION)
        return status, np.frombuffer(bytes(self._uc.mem_read(ACTION, 4 * actions)), dtype="<f4")


def _run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def machine(lab, tmp_path):
    if shutil.which(GCC) is None:
        pytest.skip(f"{GCC} is not installed")

    def make(kind, target, level, **options):
        sources = lab.write(lab.sources(kind), tmp_path)
        flags = (*lab.warnings, level, *TARGETS[target])
        return CortexM(tmp_path, sources, flags, hard="-mfloat-abi=hard" in flags, **options)

    return make


def check_bits(lab, machine, kind, steps):
    """Actions of the emulated controller against those of this machine, by SHA-256."""
    here = lab.stepper(kind)
    observations, spans = lab.steppers.irregular(steps, seed=11)
    observations, spans = observations.astype(np.float32), np.clip(spans, 0.005, 0.1).astype(np.float32)
    assert machine.call("demo_selftest") == 0
    assert machine.call("demo_reset", CONTEXT) == 0
    digests = hashlib.sha256(), hashlib.sha256()
    for x, dt in zip(observations, spans, strict=True):
        digests[0].update(here.step(x.astype(np.float64), float(dt)).astype("<f4").tobytes())
        digests[1].update(machine.step(x, float(dt), 2)[1].tobytes())
    assert digests[0].hexdigest() == digests[1].hexdigest()


@pytest.mark.parametrize("level", ["-O0", "-O2", "-Os", "-O3"])
@pytest.mark.parametrize("target", TARGETS)
def test_an_ltc_gives_the_same_bits(lab, machine, target, level):
    check_bits(lab, machine("ltc", target, level), "ltc", 1000)


def test_every_kind_gives_the_same_bits(lab, machine, kind):
    check_bits(lab, machine(kind, "m4f", "-O2"), kind, 50)


def test_gnu_modes_contract_nothing(lab, machine, tmp_path):
    machine("ltc", "m4f", "-O2")
    command = [GCC, "-std=gnu11", "-O3", *TARGETS["m4f"], "-mthumb", "-S"]
    _run(*command, *lab.write(lab.sources("ltc"), tmp_path), cwd=tmp_path)
    assert not any("vfma" in path.read_text() for path in tmp_path.glob("*.s"))


def test_a_step_takes_the_same_time_whatever_it_sees(lab, machine):
    counted = machine("ltc", "m4f", "-O2", count=True)
    counted.call("demo_reset", CONTEXT)
    observations, spans = lab.steppers.irregular(200, seed=5)
    counts = []
    for x, dt in zip(observations, np.clip(spans, 0.005, 0.1), strict=True):
        assert counted.step(x, float(dt), 2)[0] & ~0b1110 == 0
        counts.append(counted.instructions)
    assert max(counts) - min(counts) <= 0.01 * min(counts)
    assert STACK - counted.lowest <= 512
