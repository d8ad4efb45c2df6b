"""``deploy --board``: from a bundle to a board, which is QEMU's, and to flash tools, which are scripts."""

import io
import json
import re
import shutil
import stat
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import resources

import pytest

from ltc_edge.cli.main import main
from ltc_edge.controller_file import load_controller
from ltc_edge.deploy.boards import find_board
from ltc_edge.deploy.boards.board_loop import BoardLoop
from ltc_edge.deploy.boards.build import build
from ltc_edge.errors import DeviceError
from ltc_edge.runtimes.serial_lines import ProcessLine
from ltc_edge.runtimes.serial_machine import SerialMachine
from ltc_edge.supervision.codes import Mode, Request

QEMU = "qemu-system-arm"
NEEDED = ("make", "arm-none-eabi-gcc", QEMU)


@pytest.fixture(scope="module")
def board(lag_bundle, tmp_path_factory):
    """What the emulated board showed, as JSON, and the folder of its project."""
    for tool in NEEDED:
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    folder = tmp_path_factory.mktemp("board") / "project"
    arguments = ("deploy", str(lag_bundle), "--board", "mps2-an386", "-o", str(folder), "--json")
    with redirect_stdout(io.StringIO()) as printed:
        main([*arguments])
    return json.loads(printed.getvalue()), folder


@pytest.fixture
def port(board):
    """The serial port of a board that runs that image and outlives commands; kill it with ``port.kill``."""
    command = (QEMU, "-machine", "mps2-an386", "-kernel", str(board[1] / "build" / "firmware.elf"))
    options = ("-display", "none", "-monitor", "none", "-serial", "pty")
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.readline()  # char device redirected to /dev/pts/5 (label serial0)
        yield Port(said.split()[4], process)
        process.kill()


class Port(str):
    """A port that ends when it is told to."""

    def __new__(cls, name, process):
        """The port of a process."""
        port = super().__new__(cls, name)
        port.process = process
        return port

    def kill(self):
        """Pull the plug."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def flasher(tmp_path, monkeypatch):
    """A board whose flash tool is a script that writes its arguments and its folder to a file."""
    tool = tmp_path / "bin" / "flash-it"
    tool.parent.mkdir()
    told = f"json.dump([sys.argv[1:], os.getcwd()], open({str(tmp_path / 'told')!r}, 'w'))"
    tool.write_text(f"#!{sys.executable}\nimport json, os, sys\n{told}\n")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    text = resources.files("ltc_edge.deploy.boards").joinpath("mps2-an386.toml").read_text()
    call = '[flash]\ncommand = "flash-it"\narguments = ["-c", "program {elf} now", "{hex}"]\n'
    (tmp_path / "ours.toml").write_text(f'{text}\n{call}package = "apt install flash-it"\n')
    return tmp_path / "ours.toml"


def test_a_bundle_runs_on_an_emulated_board_with_its_supervisor(board):
    document, folder = board
    assert (document["build"], document["flash"], document["check"]) == ("done", "done", "done")
    assert 0 < document["flash_bytes"] < document["flash_bytes_there"]
    assert 0 < document["ram_bytes"] < document["ram_bytes_there"]
    found = document["found"]
    assert found["version"] == document["controller"]
    assert found["image"] == document["image"] == (folder / "build" / "image.txt").read_text().strip()
    assert found["steps_compared"] == 12
    assert found["selftest"]
    assert found["simulated"]
    assert "stale-input" in found["drill"]["seen"]
    assert document["commands"][0] == ["make", "-s"]


def test_a_board_on_a_port_is_asked_what_it_runs(cli, board, lag_bundle, port):
    asked = ("deploy", lag_bundle, "--board", "mps2-an386", "-o", board[1], "--port", port, "--verify-only")
    document = json.loads(cli(*asked, "--json")[0])
    assert document["build"] == document["flash"] == "not asked for"
    assert document["found"]["drill"] is None
    assert document["commands"] == []
    said, _ = cli(*asked)
    assert "12 steps to the bit" in said
    port.kill()
    _, err = cli(*asked, expect=2)
    assert len(err.splitlines()) == 1


def test_a_loop_is_armed_by_order_and_then_left_alone(cli, board, lag_bundle, port):
    asked = ("deploy", lag_bundle, "--board", "mps2-an386", "-o", board[1], "--port", port)
    assert json.loads(cli(*asked, "--order", "report", "--json")[0])["loop"]["mode"] == "disarmed"
    loop = json.loads(cli(*asked, "--order", "arm", "--json")[0])["loop"]
    assert loop["mode"] == "active"
    assert len(loop["action"]) == 1
    _, err = cli(*asked, "--verify-only", expect=2)
    assert "its loop is active" in err
    said, _ = cli(*asked, "--order", "disarm")
    assert said.startswith("disarmed after ")


def test_another_image_of_the_same_controller_is_told(cli, board, lag_bundle, port, tmp_path):
    shutil.copytree(board[1], tmp_path / "edited")
    sensors = tmp_path / "edited" / "app" / "sensors.c"
    sensors.write_text(sensors.read_text().replace("0.05F", "0.06F"))
    asked = ("deploy", lag_bundle, "--board", "mps2-an386", "-o", tmp_path / "edited", "--port", port)
    _, err = cli(*asked, "--verify-only", expect=2)
    assert f"the board runs the image {board[0]['image']} of this controller" in err


def test_a_loop_that_hangs_is_ended_by_the_watchdog(board, lag_bundle, tmp_path):
    folder = shutil.copytree(board[1], tmp_path / "hanging")
    sensors = folder / "app" / "sensors.c"
    hang = "    while (reading[0] != 0.0F) {\n    }\n"
    hanging, count = re.subn(r"(void sensors_read\(.*\n\{\n)", rf"\1{hang}", sensors.read_text())
    assert count == 1
    sensors.write_text(hanging.replace("static float", "static volatile float"))
    mps2 = find_board("mps2-an386")
    build(mps2, folder)
    line = ProcessLine(mps2.emulator.filled({"elf": str(folder / "build" / "firmware.elf")}))
    controller = load_controller(lag_bundle.parent / "tiny.safetensors")
    machine = SerialMachine(line, controller, 4, timeout_s=5)
    loop = BoardLoop(machine)
    loop.order(Request.ARM)
    reports = []
    try:
        with pytest.raises(DeviceError, match="was restarted"):
            reports.extend(iter(loop.report, None))
    finally:
        machine.close()
    assert reports[-1].mode == Mode.ACTIVE


def test_the_flash_tool_gets_its_arguments_as_they_are(cli, lag_bundle, flasher, tmp_path, monkeypatch):
    folder = tmp_path / """-it's a "folder"; $(touch no) & more"""
    monkeypatch.chdir(tmp_path)
    command = ("deploy", lag_bundle, "--board", flasher, "-o", folder.name)
    document = json.loads(cli(*command, "--json")[0])
    told, where = json.loads((tmp_path / "told").read_text())
    assert told == ["-c", "program build/firmware.elf now", "build/firmware.hex"]
    assert where == str(folder)
    assert document["flash"] == "done"
    assert document["check"] == "not asked: say the board's --port"
    assert document["commands"][1] == ["flash-it", *told]
    assert not (tmp_path / "no").exists()


def test_a_dry_run_does_nothing_and_says_it_all(cli, lag_bundle, tmp_path):
    command = (
        "deploy",
        lag_bundle,
        "--board",
        "arduino-uno",
        "-o",
        tmp_path / "project",
        "--port",
        "/dev/tty X",
    )
    said, _ = cli(*command, "--dry-run")
    assert "-P '/dev/tty X' -U flash:w:build/firmware.hex:i" in said
    assert not (tmp_path / "project").exists()
    document = json.loads(cli(*command, "--dry-run", "--json")[0])
    assert document["dry_run"]
    assert document["commands"][1][8] == "/dev/tty X"


def test_without_its_compiler_the_project_is_what_there_is(cli, lag_bundle, tmp_path):
    text = resources.files("ltc_edge.deploy.boards").joinpath("stm32f4.toml").read_text()
    (tmp_path / "other.toml").write_text(text.replace("arm-none-eabi-gcc", "no-such-gcc", 1))
    command = ("deploy", lag_bundle, "--board", tmp_path / "other.toml", "-o", tmp_path / "project")
    document = json.loads(cli(*command, "--json")[0])
    assert document["build"].startswith("no-such-gcc is not here")
    assert (tmp_path / "project" / "Makefile").is_file()
    _, err = cli(*command, "--port", "/dev/ttyNone", expect=2)
    assert "no-such-gcc is not here" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--board", "no-board"), "there is no board 'no-board'"),
        (("--board", "microbit-v2", "--emulate"), "has no emulator here"),
        (("--board", "mps2-an386", "--port", "/dev/ttyNone", "--emulate"), "so it has no --port"),
        (("--board", "mps2-an386", "--port", "/dev/ttyNone"), "nothing flashes it at a --port"),
        (("--board", "microbit", "--emulate", "--no-flash"), "so there is no --no-flash"),
        (("--board", "stm32f4", "--verify-only"), "say its --port"),
        (("--board", "stm32f4", "--drill"), "say its --port"),
        (("--board", "stm32f4", "--order", "arm"), "say the board's --port"),
        (("--board", "arduino-uno", "--port", "-U"), "begins with a dash"),
        (("--board", "stm32f4", "--rate", "1"), "Run the loop at"),
        (("--board", "stm32f4", "--format", "c-int16"), "has no c-int16"),
        (("--list-boards",), "takes neither a bundle"),
    ],
)
def test_wishes_that_cannot_be_are_refused_in_one_line(cli, lag_bundle, tmp_path, arguments, says):
    _, err = cli("deploy", lag_bundle, *arguments, "-o", tmp_path / "project", expect=2)
    assert says in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "project").exists()


def test_the_boards_are_listed(cli, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    said, _ = cli("deploy", "--list-boards")
    assert "raspberry-pi-pico" in said
    assert "picotool" in said
    boards = json.loads(cli("deploy", "--list-boards", "--json")[0])["boards"]
    assert boards["arduino-uno"]["flash"][0] == "avrdude"
    assert boards["mps2-an386"]["flash"] is None
