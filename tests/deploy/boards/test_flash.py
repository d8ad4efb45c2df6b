"""Flash tools that are scripts."""

import sys

import pytest

from ltc_edge.deploy.boards import Call, find_board
from ltc_edge.deploy.boards.build import _why
from ltc_edge.deploy.boards.flash import flash, missing_to_flash
from ltc_edge.errors import CheckFailedError, MissingToolError


def tool(folder, body):
    path = folder / "tool"
    path.write_text(f"#!{sys.executable}\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_a_tool_that_fails_gives_its_last_lines(tmp_path):
    body = "import sys\nfor i in range(9): print('line', i)\nprint('no probe', file=sys.stderr)\nsys.exit(3)"
    with pytest.raises(CheckFailedError) as caught:
        flash([tool(tmp_path, body)], tmp_path)
    message = str(caught.value)
    assert "ended with code 3" in message
    assert message.endswith("line 7 / line 8 / no probe")
    assert "line 1" not in message
    assert "\n" not in message
    assert caught.value.exit_code == 1


def test_a_tool_that_prints_no_text_at_all_is_told_too(tmp_path):
    body = "import sys\nsys.stdout.buffer.write(b'\\xff\\xfe')\nsys.exit(1)"
    with pytest.raises(CheckFailedError, match="ended with code 1"):
        flash([tool(tmp_path, body)], tmp_path)


def test_a_tool_that_cannot_be_run_is_told(tmp_path):
    (tmp_path / "tool").write_text("no program")
    with pytest.raises(MissingToolError, match="cannot be run"):
        flash([str(tmp_path / "tool")], tmp_path)


def test_what_is_missing_is_said_with_how_to_get_it(monkeypatch, tmp_path):
    board = find_board("raspberry-pi-pico")
    monkeypatch.setenv("PATH", str(tmp_path))
    said = missing_to_flash(board, board.flash, None)
    assert said == (
        "picotool is not here (apt install picotool); or hold BOOTSEL while plugging in, and copy "
        "build/firmware.uf2 to the drive RPI-RP2"
    )


def test_a_tool_that_needs_a_port_asks_for_it(monkeypatch, tmp_path):
    tool(tmp_path, "")
    monkeypatch.setenv("PATH", str(tmp_path))
    call = Call("tool", ("-P", "{port}"), "a package")
    board = find_board("arduino-uno")
    assert missing_to_flash(board, call, None) == "tool needs the board's port: say --port"
    assert missing_to_flash(board, call, "/dev/ttyACM0") is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("x.c:3:1: error: unknown type name\nmake: *** [all] Error 1", "x.c:3:1: error: unknown type name"),
        ("ld: region `FLASH' overflowed by 96 bytes\ncollect2: error: ld", "96 bytes too many of FLASH"),
        ("ld: no room for a stack of 2 KB in RAM\nmake: *** Error 1", "no room for a stack of 2 KB in RAM"),
        ("Error: tiny does not fit on an Uno: 9 bytes", "built: tiny does not fit on an Uno: 9 bytes"),
        ("", "make fails without a word"),
    ],
)
def test_the_line_that_says_why_a_build_failed(said, why):
    assert why in _why(said, find_board("stm32f4"))
