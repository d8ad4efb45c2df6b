"""A servo at the end of a simulated board's serial line: the board's bits are this machine's."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ltc_edge import Controller, Scaling, Timing, wiring
from ltc_edge.cells import LTCSpec
from ltc_edge.export.c import c_float32, c_int16
from ltc_edge.export.c.int16.guard import state_codes
from ltc_edge.export.calibration import excitation
from ltc_edge.export.quantize import make_plan
from ltc_edge.runtimes.c_stepper import CStepper
from ltc_edge.runtimes.codes import Codes
from ltc_edge.runtimes.host_machine import HostMachine
from ltc_edge.runtimes.serial_lines import ProcessLine
from ltc_edge.runtimes.serial_machine import SerialMachine
from ltc_edge.tasks.dc_motor import DcMotor

EXAMPLES = Path(__file__).parents[2] / "firmware_examples"
ARM, RISCV = "arm-none-eabi-gcc", "riscv64-unknown-elf-gcc"
STEPS = 150


@dataclass(frozen=True)
class Board:
    """An example, how it is built, and the machine of QEMU that it runs on."""

    folder: str
    compiler: str
    qemu: str
    machine: str
    options: tuple[str, ...] = ()


BOARDS = {
    "mps2-m3": Board("mps2", ARM, "qemu-system-arm", "mps2-an385", ("CORE=m3",)),
    "mps2-m4": Board("mps2", ARM, "qemu-system-arm", "mps2-an386", ("CORE=m4",)),
    "mps2-m7": Board("mps2", ARM, "qemu-system-arm", "mps2-an500", ("CORE=m7",)),
    "stm32f4": Board("stm32f4", ARM, "qemu-system-arm", "netduinoplus2"),
    "microbit": Board("microbit", ARM, "qemu-system-arm", "microbit"),
    "riscv": Board("riscv_virt", RISCV, "qemu-system-riscv32", "virt"),
    "riscv-f": Board("riscv_virt", RISCV, "qemu-system-riscv32", "virt", ("ISA=rv32imafc",)),
}


@pytest.fixture(scope="module")
def servo():
    """Turns the dc-motor's shaft towards its reference: one neuron held between two sensors."""
    task = DcMotor()
    spec = LTCSpec(wiring.dense(2, 3, 1, seed=5), unfolds=4)
    rng = np.random.default_rng(8)
    parameters = {name: rng.uniform(0.9, 1.1, size=shape) for name, shape in spec.parameter_shapes().items()}

    def softplus_of(values):
        return np.log(np.expm1(values))

    towards = np.where(spec.wiring.sensory_synapses[:, 0] == 0, 1.0, -1.0)
    parameters |= {
        "gleak": softplus_of(0.1 * parameters["gleak"]),
        "vleak": np.zeros(3),
        "cm": softplus_of(0.004 * parameters["cm"]),
        "w": softplus_of(0.05 * parameters["w"]),
        "erev": np.sign(rng.uniform(-1, 1, size=parameters["erev"].shape)),
        "sensory_w": np.full_like(towards, softplus_of(1.0)),
        "sensory_sigma": np.full_like(towards, 0.7),
        "sensory_mu": np.zeros_like(towards),
        "sensory_erev": towards,
        "input_b": np.zeros(2),
        "output_b": np.zeros(1),
        "readout_weight": np.array([[10.0]]),
        "readout_bias": np.zeros(1),
    }
    controller = Controller(
        name="servo",
        purpose="control",
        observations=task.observations,
        normalizer=Scaling.identity(2),
        cell=spec,
        parameters={name: array.astype(np.float32) for name, array in parameters.items()},
        actions=task.actions,
        denormalizer=Scaling.identity(1),
        timing=Timing(task.period_s, *task.dt_range_s, task.period_s),
        initial_state=np.zeros(3),
        fallback=np.zeros(1),
    )
    plan = make_plan(controller, (excitation(controller, sequences=4, steps=60, seed=3),))
    forms = {
        "float32": (c_float32(controller, "servo"), Codes.floating(controller.state_size)),
        "int16": (c_int16(controller, plan, "servo"), state_codes(plan)),
    }
    return task, controller, forms


def firmware(board, sources, folder):
    """The path of a board's image with these sources."""
    for tool in (board.compiler, "make", board.qemu):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    source = folder / "c" / "src"
    source.mkdir(parents=True)
    for name, content in sources.files.items():
        (source / name).write_bytes(content)
    command = ["make", "-C", EXAMPLES / board.folder, f"CONTROLLER_DIR={folder / 'c'}", f"BUILD={folder}"]
    done = subprocess.run([*command, *board.options], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "firmware.elf"


def play(task, stepper, steps, seed=0):
    """Actions ``(steps, 1)`` and the mean squared error in rad² of one episode."""
    plants, actions, errors = task.make_plants(), [], []
    readings = plants.reset([seed])
    for _ in range(steps):
        actions.append(stepper.step(readings.observation[0], float(readings.dt_s[0])))
        readings = plants.step(np.stack(actions[-1:]), np.ones(1, dtype=np.bool_))
        errors.append((readings.privileged[0, 0] - readings.privileged[0, 1]) ** 2)
    return np.stack(actions), float(np.mean(errors))


class Idle:
    def step(self, *_):
        return np.zeros(1)


CASES = [(name, "float32") for name in BOARDS] + [
    (name, "int16") for name in ("mps2-m4", "microbit", "riscv")
]


@pytest.mark.parametrize(("name", "form"), CASES)
def test_a_board_closes_the_loop_with_the_bits_of_this_machine(servo, name, form, tmp_path):
    task, controller, forms = servo
    sources, codes = forms[form]
    board = BOARDS[name]
    image = firmware(board, sources, tmp_path)
    here = CStepper(HostMachine(sources, controller), controller, codes)
    command = (board.qemu, "-machine", board.machine, "-bios", "none", "-kernel", str(image))
    command += ("-display", "none", "-monitor", "none", "-serial", "stdio")
    line = ProcessLine(command)
    try:
        version = here.machine.version()
        machine = SerialMachine(line, controller, sources.item_bytes, version=version, timeout_s=5)
        there = CStepper(machine, controller, codes)
        assert machine.check() == 0
        actions, error = play(task, here, STEPS)
        assert error < 0.5 * play(task, Idle(), STEPS)[1]
        for _ in range(2):  # once more after a reset, from the same state
            found, _ = play(task, there, STEPS)
            assert found.tobytes() == actions.tobytes()
            assert machine.read_state() == here.machine.read_state()
            there.reset()
        assert machine.device.ticks_per_second > 0
        assert machine.ticks > 0
    finally:
        line.close()


@pytest.mark.parametrize("name", ["mps2-m4", "riscv"])
def test_a_controller_too_large_for_the_board_is_refused_at_link_time(servo, name, tmp_path):
    sources, _ = servo[2]["float32"]
    board = BOARDS[name]
    image = firmware(board, sources, tmp_path)
    image.unlink()
    where = EXAMPLES / board.folder
    command = ["make", "-C", where, f"CONTROLLER_DIR={tmp_path / 'c'}", f"BUILD={tmp_path}"]
    options = (f"LAYOUT={tmp_path / 'small.ld'}", *board.options)
    layout = (where / "layout.ld").read_text()
    for size, message in (("64K", "no room for a stack"), ("256K", "will not fit in region")):
        (tmp_path / "small.ld").write_text(layout.replace(f"LENGTH = {size}", "LENGTH = 1K"))
        done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=300)
        assert done.returncode != 0
        assert message in done.stderr
