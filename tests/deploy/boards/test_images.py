"""Images of boards: what a Pico's ROM and its drive want of one, and an Uno's 2 KB."""

import dataclasses
import shutil
import struct
import subprocess
import zlib

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.boards import find_board
from ltc_edge.deploy.boards.acceptance import accept
from ltc_edge.deploy.boards.build import build
from ltc_edge.deploy.boards.deploy import Wishes, deploy
from ltc_edge.deploy.boards.project import make_project
from ltc_edge.deploy.boards.project_folder import write_project
from ltc_edge.errors import InputError

FLASH = 0x10000000


def project_of(bundle, name):
    """The bundle's project for a board whose tools are here."""
    board = find_board(name)
    for call in (board.compiler, "make", "cc", board.emulator and board.emulator.command):
        if call and shutil.which(call) is None:
            pytest.skip(f"{call} is not installed")
    return make_project(bundle, board, "c-float32", period_s=0.01)


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return load_bundle(unverified_bundle("c-float32"))


@pytest.fixture(scope="module")
def pico(bundle, tmp_path_factory):
    """The build folder of a Pico's project, and the project."""
    project = project_of(bundle, "raspberry-pi-pico")
    folder = tmp_path_factory.mktemp("pico") / "p"
    write_project(project.files, folder)
    build(project.board, folder)
    return folder / "build", project


def reversed_bits(value, width):
    return int(f"{value:0{width}b}"[::-1], 2)


def test_a_picos_rom_finds_its_checksum(pico):
    image = (pico[0] / "firmware.bin").read_bytes()
    # zlib's CRC takes the lowest bit first and inverts what comes out; the ROM does neither.
    mirrored = bytes(reversed_bits(byte, 8) for byte in image[:252])
    crc = reversed_bits(zlib.crc32(mirrored) ^ 0xFFFFFFFF, 32)
    assert struct.unpack_from("<I", image, 252) == (crc,)


def test_a_picos_drive_takes_every_block(pico):
    image, blocks = (pico[0] / "firmware.bin").read_bytes(), (pico[0] / "firmware.uf2").read_bytes()
    count = -(-len(image) // 256)
    assert len(blocks) == 512 * count
    content = b""
    for index in range(count):
        block = blocks[512 * index : 512 * (index + 1)]
        words = struct.unpack_from("<8I", block)
        assert words[:3] == (0x0A324655, 0x9E5D5157, 0x2000)
        assert words[3:] == (FLASH + 256 * index, 256, index, count, 0xE48BFF56)
        assert block[-4:] == struct.pack("<I", 0x0AB16F30)
        assert not any(block[32 + 256 : -4])
        content += block[32 : 32 + 256]
    assert content == image + bytes(256 * count - len(image))


def test_an_image_with_another_boot_stage_is_refused(pico, tmp_path):
    image = bytearray((pico[0] / "firmware.bin").read_bytes())
    image[40] ^= 1
    (tmp_path / "firmware.bin").write_bytes(image)
    command = (pico[0] / "uf2", tmp_path / "firmware.bin", tmp_path / "firmware.uf2")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "boot2.S has another CRC" in done.stderr
    assert not (tmp_path / "firmware.uf2").exists()


def test_a_pico_boots_and_runs_its_loop_in_a_model_of_its_registers(pico):
    pytest.importorskip("unicorn")
    from pico_model import FLASH, PSM, RAM, RAM_BYTES, SSI, WATCHDOG, Pico

    folder, project = pico
    image = (folder / "firmware.bin").read_bytes()
    board = Pico(image)
    assert board.writes == [
        (SSI + 0x08, 0),
        (SSI + 0x14, 2),
        (SSI + 0x00, 31 << 16 | 3 << 8),
        (SSI + 0xF4, 0x03 << 24 | 2 << 8 | 6 << 2),
        (SSI + 0x04, 0),
        (SSI + 0x08, 1),
        (0xE000ED08, FLASH + 256),
    ]
    stack, start = struct.unpack_from("<II", image, 256)
    assert board.started == (stack, start & ~1)
    assert stack == RAM + RAM_BYTES
    found = accept(board, project, (folder / "image.txt").read_text().strip(), drill=True, timeout_s=20)
    assert found.selftest
    assert found.drill is not None
    assert abs(board.baud() / 115200 - 1) < 0.002
    # Counted twice a microsecond; all but the oscillators are reset, after microseconds of 12 cycles.
    assert board.value(WATCHDOG + 0x04) == 2 * 1000 * found.image.watchdog_ms
    assert board.value(WATCHDOG + 0x00) == 1 << 30
    assert board.value(WATCHDOG + 0x2C) == 1 << 9 | 12
    assert board.value(PSM + 0x08) == 0x1FFFC


def test_loop_supervisor_and_controller_fit_an_uno(bundle, tmp_path):
    project = project_of(bundle, "arduino-uno")
    outcome = deploy(project, Wishes(tmp_path / "p", emulate=True))
    assert outcome.taken.ram_bytes + 520 <= 2048
    assert outcome.acceptance.steps == 12
    assert not outcome.acceptance.selftest
    assert outcome.acceptance.drill is not None
    with pytest.raises(InputError, match=r"needs 1[0-9]{3} bytes of RAM, and Arduino Uno has 1000"):
        build(dataclasses.replace(project.board, ram_bytes=1000), tmp_path / "p")
