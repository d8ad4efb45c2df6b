"""Images of boards: what a Pico's ROM and its drive want of one, and an Uno's 2 KB."""

import dataclasses
import shutil
import struct
import subprocess
import zlib

import pytest

from ltc_edge.bundle.bundle import load_bundle
from ltc_edge.deploy.boards import find_board
from ltc_edge.deploy.boards.build import build
from ltc_edge.deploy.boards.deploy import Wishes, deploy
from ltc_edge.deploy.boards.project import make_project
from ltc_edge.deploy.boards.project_folder import write_project
from ltc_edge.errors import InputError

FLASH, RAM = 0x10000000, 0x20000000
RAM_BYTES = 256 << 10


def project_of(bundle, name):
    """The bundle's project for a board whose tools are here."""
    board = find_board(name)
    for call in (board.compiler, "make", "cc", board.emulator and board.emulator.command):
        if call and shutil.which(call) is None:
            pytest.skip(f"{call} is not installed")
    return make_project(bundle, board, "c-float32", period_s=0.04)


@pytest.fixture(scope="module")
def bundle(unverified_bundle):
    return load_bundle(unverified_bundle("c-float32"))


@pytest.fixture(scope="module")
def pico(bundle, tmp_path_factory):
    """The build folder of a Pico's project."""
    project = project_of(bundle, "raspberry-pi-pico")
    folder = tmp_path_factory.mktemp("pico") / "p"
    write_project(project.files, folder)
    build(project.board, folder)
    return folder / "build"


def reversed_bits(value, width):
    return int(f"{value:0{width}b}"[::-1], 2)


def test_a_picos_rom_finds_its_checksum(pico):
    image = (pico / "firmware.bin").read_bytes()
    # zlib's CRC takes the lowest bit first and inverts what comes out; the ROM does neither.
    mirrored = bytes(reversed_bits(byte, 8) for byte in image[:252])
    crc = reversed_bits(zlib.crc32(mirrored) ^ 0xFFFFFFFF, 32)
    assert struct.unpack_from("<I", image, 252) == (crc,)


def test_a_picos_drive_takes_every_block(pico):
    image, blocks = (pico / "firmware.bin").read_bytes(), (pico / "firmware.uf2").read_bytes()
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
    image = bytearray((pico / "firmware.bin").read_bytes())
    image[40] ^= 1
    (tmp_path / "firmware.bin").write_bytes(image)
    command = (pico / "uf2", tmp_path / "firmware.bin", tmp_path / "firmware.uf2")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "boot2.S has another CRC" in done.stderr
    assert not (tmp_path / "firmware.uf2").exists()


def test_a_picos_boot_stage_makes_the_flash_readable_and_starts_the_program(pico):
    unicorn = pytest.importorskip("unicorn")
    arm = pytest.importorskip("unicorn.arm_const")
    image = (pico / "firmware.bin").read_bytes()
    stack, start = struct.unpack_from("<II", image, 256)
    processor = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
    copied_to = 0x20041F00  # where the ROM copies it, and not where it was linked
    processor.mem_map(0x20041000, 0x1000)
    processor.mem_write(copied_to, image[:256])
    processor.mem_map(FLASH, 0x10000)
    processor.mem_write(FLASH, image)
    written = []
    keep = lambda _, __, address, ___, value, ____: written.append((address, value & 0xFFFFFFFF))  # noqa: E731
    processor.mem_map(0x18000000, 0x1000)
    processor.mem_map(0xE000E000, 0x1000)
    processor.hook_add(unicorn.UC_HOOK_MEM_WRITE, keep)
    processor.emu_start(copied_to | 1, start & ~1, count=100)
    ssi = 0x18000000
    assert written == [
        (ssi + 0x08, 0),
        (ssi + 0x14, 2),
        (ssi + 0x00, 31 << 16 | 3 << 8),
        (ssi + 0xF4, 0x03 << 24 | 2 << 8 | 6 << 2),
        (ssi + 0x04, 0),
        (ssi + 0x08, 1),
        (0xE000ED08, FLASH + 256),
    ]
    assert processor.reg_read(arm.UC_ARM_REG_PC) == start & ~1
    assert processor.reg_read(arm.UC_ARM_REG_MSP) == stack == RAM + RAM_BYTES
    assert FLASH + 256 < start < FLASH + len(image)
    assert start & 1


def test_loop_supervisor_and_controller_fit_an_uno(bundle, tmp_path):
    project = project_of(bundle, "arduino-uno")
    outcome = deploy(project, Wishes(tmp_path / "p", emulate=True))
    assert outcome.taken.ram_bytes + 520 <= 2048
    assert outcome.acceptance.steps == 12
    assert not outcome.acceptance.selftest
    assert outcome.acceptance.drill is not None
    with pytest.raises(InputError, match=r"needs 1[0-9]{3} bytes of RAM, and Arduino Uno has 1000"):
        build(dataclasses.replace(project.board, ram_bytes=1000), tmp_path / "p")
