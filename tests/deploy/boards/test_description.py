"""Boards as data: every one can be read, and what describes none is refused."""

from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_edge.deploy.boards import BOARDS, Call, find_board
from ltc_edge.deploy.boards.flash import flash_command
from ltc_edge.deploy.boards.project import board_files
from ltc_edge.errors import InputError

GOOD = resources.files("ltc_edge.deploy.boards").joinpath("stm32f4.toml").read_text()


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_has_its_folder_and_its_tools(name):
    board = find_board(name)
    files = board_files(board)
    assert {"board/Makefile", "board/board.c", "common/ltc_loop.c", "app/sensors.c"} <= files.keys()
    assert "common/serial_main.c" not in files
    assert board.compiler.endswith("gcc")
    assert board.flash is not None or board.emulator is not None
    for call in (board.flash, board.emulator):
        if call is not None:
            line = call.filled({"elf": "", "hex": "", "bin": "", "uf2": "", "port": ""})
            assert not any("{" in argument for argument in line)


def test_the_list_is_what_the_folder_holds():
    folder = resources.files("ltc_edge.deploy.boards")
    assert {path.name for path in folder.iterdir() if path.name.endswith(".toml")} == {
        f"{name}.toml" for name in BOARDS
    }


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('folder = "stm32f4"', 'folder = "../stm32f4"', "no folder of firmware_examples"),
        ('format = "c-float32"', 'format = "onnx"', "none of c-float32, c-int16"),
        ("ram_bytes = 131072", "ram_bytes = 0", "must be above 0"),
        ("ram_bytes = 131072", "", "ram_bytes is missing"),
        ("ram_bytes = 131072", "ram_bytes = 131072\nwheels = 4", "wheels means nothing here"),
        ('target = "cortex-m4"', 'target = "z80"', "there is no target"),
        ("[flash]", "[flush]", "flush means nothing here"),
        ('"-c", "program {elf} verify reset exit",', "3,", "must be a list of texts"),
    ],
)
def test_what_describes_no_board_is_refused(tmp_path, old, new, says):
    assert GOOD.count(old) == 1
    (tmp_path / "mine.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=says):
        find_board(str(tmp_path / "mine.toml"))


def test_a_board_that_nothing_brings_an_image_to_is_refused(tmp_path):
    (tmp_path / "mine.toml").write_text(GOOD.split("[flash]")[0])
    with pytest.raises(InputError, match="neither flash nor emulator"):
        find_board(str(tmp_path / "mine.toml"))


@given(port=st.text(min_size=1).filter(lambda text: not text.startswith("-")))
def test_a_port_stays_in_its_argument(port):
    call = Call("tool", ("-P", "{port}", "flash:w:{hex}:i"), "tool")
    assert flash_command(call, port) == ["tool", "-P", port, "flash:w:build/firmware.hex:i"]
