"""A model of what an image touches of an RP2040: enough of its datasheet for the image to run.

It is no RP2040: it knows those registers alone, and holds against the image what the datasheet forbids.
"""

import struct
from collections import deque

import unicorn
from unicorn import arm_const as arm

FLASH, RAM, RAM_BYTES = 0x10000000, 0x20000000, 256 << 10
BOOT2_AT = 0x20041F00
"""Where the ROM copies the first 256 bytes of the flash, which were not linked for that place."""

APB, SSI, PPB = 0x40000000, 0x18000000, 0xE000E000
PSM, RESETS, IO, PADS, XOSC, UART, WATCHDOG, CLOCKS = (
    0x40010000,
    0x4000C000,
    0x40014000,
    0x4001C000,
    0x40024000,
    0x40034000,
    0x40058000,
    0x40008000,
)
IN_RESET = {IO: 1 << 5, PADS: 1 << 8, UART: 1 << 22}
STABLE = 1 << 31
CYCLES_A_LOOK = 4000
"""That SysTick moves each time it is read: the loop then needs not to be run as often."""


class Pico:
    """An RP2040 with an image in its flash, after its ROM; a `Line` to its UART.

    Attributes:
        started: stack pointer and program counter after the boot stage.
        writes: of the boot stage and the program: address and value, in order.
    """

    name = "a model of the RP2040"

    def __init__(self, image):
        self.writes, self.wrong = [], []
        self._sent, self._received = bytearray(), deque()
        self._registers = {RESETS: 0x01FFFFFF}
        self._cycles = 0
        core = self._core = unicorn.Uc(unicorn.UC_ARCH_ARM, unicorn.UC_MODE_THUMB | unicorn.UC_MODE_MCLASS)
        core.ctl_set_cpu_model(arm.UC_CPU_ARM_CORTEX_M0)
        core.mem_map(FLASH, 1 << 20)
        core.mem_write(FLASH, image)
        core.mem_map(RAM, RAM_BYTES + 0x2000)
        core.mem_write(BOOT2_AT, image[:256])
        for base, size in ((APB, 0x60000), (SSI, 0x1000), (PPB, 0x1000)):
            core.mmio_map(base, size, self._read, base, self._write, base)
        _, start = struct.unpack_from("<II", image, 256)
        core.emu_start(BOOT2_AT | 1, start & ~1, count=100)
        self.started = core.reg_read(arm.UC_ARM_REG_MSP), core.reg_read(arm.UC_ARM_REG_PC)

    def read(self, _):
        """What the board sends, as soon as it does."""
        for _ in range(2000):
            self._run(20_000)
            if self._sent:
                sent, self._sent = bytes(self._sent), bytearray()
                return sent
        return b""

    def write(self, data, _):
        """Bytes for the board."""
        self._received.extend(data)

    def close(self):
        """Nothing to let go of."""

    def value(self, address):
        """What was written to a register last."""
        return self._registers.get(address, 0)

    def baud(self):
        """Of the UART, by its divisors."""
        return 12e6 / (16 * (self.value(UART + 0x24) + self.value(UART + 0x28) / 64))

    def _run(self, instructions):
        self._core.emu_start(self._core.reg_read(arm.UC_ARM_REG_PC) | 1, 0xFFFFFFFE, count=instructions)
        assert not self.wrong, self.wrong

    def _read(self, _, offset, __, base):
        address = base + offset
        self._check_is_out_of_reset(address)
        if address == XOSC + 0x04:
            runs = self.value(XOSC) == 0xFABAA0 and self.value(XOSC + 0x0C) >= 47
            return STABLE if runs else 0
        if address == CLOCKS + 0x38:
            return 1 << (self.value(CLOCKS + 0x30) & 3)
        if address == CLOCKS + 0x44:
            return 1 << (self.value(CLOCKS + 0x3C) & 1)
        if address == RESETS + 0x08:
            return ~self.value(RESETS) & 0x01FFFFFF
        if address == UART + 0x18:
            return 0 if self._received else 0x10
        if address == UART:
            return self._received.popleft()
        if address == PPB + 0x18:
            self._cycles += CYCLES_A_LOOK
            return -self._cycles & 0xFFFFFF
        return self.value(address)

    def _write(self, _, offset, __, value, base):
        address, value = base + offset, value & 0xFFFFFFFF
        self.writes.append((address, value))
        if base == APB and offset & 0x3000 == 0x3000:  # clears what is 1
            address -= 0x3000
            value = self.value(address) & ~value
        elif base == APB and offset & 0x3000:
            self.wrong.append(f"an alias at {address:#x} that the model lacks")
        self._check_is_out_of_reset(address)
        self._registers[address] = value
        if address == UART:
            self._check_can_send()
            self._sent.append(value)

    def _check_is_out_of_reset(self, address):
        if self.value(RESETS) & IN_RESET.get(address & ~0x3FFF, 0):
            self.wrong.append(f"{address:#x} is touched while it is in reset")

    def _check_can_send(self):
        ready = {
            "the UART is off": self.value(UART + 0x30) & 0x301 == 0x301,
            "not 8 bits": self.value(UART + 0x2C) & 0x60 == 0x60,
            "GPIO0 is not the UART's": self.value(IO + 0x04) == 2,
            "GPIO1 is not the UART's": self.value(IO + 0x0C) == 2,
            "the peripherals have no clock": self.value(CLOCKS + 0x48) & 0x8E0 == 0x800,
            "the clock is not the crystal's": self.value(CLOCKS + 0x30) & 3 == 2,
        }
        self.wrong += [fault for fault, is_well in ready.items() if not is_well]
