"""A generated controller in an emulated processor of a target."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.c import CSources
from ltc_edge.export.c.stages import stage_lines
from ltc_edge.runtimes.cross_compiler import FLAGS, CrossCompiler, Unit, find_cross_compiler
from ltc_edge.runtimes.elf_image import ElfImage
from ltc_edge.runtimes.emulated_processor import EmulatedProcessor
from ltc_edge.runtimes.execution_trace import Execution
from ltc_edge.runtimes.machine import Float32
from ltc_edge.runtimes.stage_map import stage_map
from ltc_edge.targets import Target

FUNCTIONS = ("reset", "restore", "step", "check", "selftest", "version")
DEBUG = ("-g",)
"""Has the compiler say what lines instructions come of; it makes the same code."""

_SEAL = _CHECKSUM = 4
"""Bytes of a context before its state and behind it."""


class EmulatedMachine:
    """`Machine` over unicorn.

    Args:
        sources: the controller in C.
        controller: what they were made from.
        target: what is emulated.
        compiler: one of the target's; the first that is here where not given.
        flags: how it compiles, besides the target's own.
        counted: count the instructions of every call, which makes calls ten times slower.
        traced: count what `execution` gives too, which makes them slower still.

    Attributes:
        compiler: what compiled the controller.
        image: the program.
        flags: how it was compiled, the target's own included.
        context_bytes: size of a context.

    Raises:
        InputError: the compiler fails.
        FormatRefusedError: the controller does not fit the target's memory.
        MissingExtraError: there is no compiler, or unicorn or pyelftools is not installed.
    """

    def __init__(
        self,
        sources: CSources,
        controller: Controller,
        target: Target,
        compiler: str | None = None,
        flags: Sequence[str] = FLAGS,
        *,
        counted: bool = False,
        traced: bool = False,
    ) -> None:
        self.compiler: CrossCompiler = find_cross_compiler(target, compiler)
        self.flags = " ".join((*self.compiler.tool.flags, *flags))
        self._name = sources.name
        roots = [f"{self._name}_{function}" for function in FUNCTIONS]
        unit = Unit(sources.files, (*flags, *(DEBUG if traced else ())))
        self.image = self.compiler.image([unit], roots)
        stages = _stages(self.image, sources) if traced else {}
        self._processor = EmulatedProcessor(self.image, target, counted=counted, traced=traced, stages=stages)
        self._state_bytes = controller.state_size * sources.item_bytes
        self._actions, inputs = len(controller.actions), controller.cell.inputs
        self._context = self._processor.free
        self.context_bytes = _SEAL + -(-self._state_bytes // 4) * 4 + _CHECKSUM
        self._observation = self._context + self.context_bytes
        self._action = self._observation + 4 * inputs
        self._stack_end = (self._action + 4 * self._actions + 7) & ~7
        self._processor.paint_stack(self._stack_end)

    @property
    def instructions(self) -> int:
        """Of the last call; 0 where they are not counted."""
        return self._processor.instructions

    @property
    def flash_bytes(self) -> int:
        """Code and constants, the selftest and what the compiler's library adds included."""
        return self.image.flash_bytes

    @property
    def ram_bytes(self) -> int:
        """Static variables and one context."""
        return self.image.ram_bytes + self.context_bytes

    def execution(self) -> Execution:
        """What the last call executed, where calls are traced.

        Raises:
            MissingExtraError: the target has a model of cycles, and capstone is not installed.
        """
        return self._processor.execution()

    @property
    def stack_bytes(self) -> int:
        """The most stack that calls have written to since `forget_stack`."""
        return self._processor.painted_over(self._stack_end)

    def forget_stack(self) -> None:
        """Measure the stack of the calls to come alone."""
        self._processor.paint_stack(self._stack_end)

    def reset(self) -> int:
        """See `Machine.reset`."""
        return self._call("reset", self._context)

    def step(self, observation: Float32, dt: float) -> tuple[int, Float32]:
        """See `Machine.step`."""
        self._processor.write(self._observation, np.asarray(observation, dtype="<f4").tobytes())
        words = (self._context, self._observation, self._action)
        status = self._processor.call(f"{self._name}_step", words, dt)
        action = np.frombuffer(self._processor.read(self._action, 4 * self._actions), dtype="<f4")
        return status, action.astype(np.float32)

    def read_state(self) -> bytes:
        """See `Machine.read_state`."""
        return self._processor.read(self._context + _SEAL, self._state_bytes)

    def write_state(self, state: bytes) -> None:
        """See `Machine.write_state`."""
        # Where an observation lies there may be too little room; below the stack there is enough.
        self._processor.write(self._stack_end, state)
        if status := self._call("restore", self._context, self._stack_end):
            raise InputError(f"a state lies beyond its bounds (status {status:#x}); give one that was read")

    def check(self) -> int:
        """``<name>_check``: whether the parameters' CRC-32 is right."""
        return self._call("check")

    def selftest(self) -> int:
        """See `Machine.selftest`."""
        return self._call("selftest")

    def version(self) -> str:
        """See `Machine.version`."""
        address = self._call("version")
        text = bytearray()
        while byte := self._processor.read(address + len(text), 1)[0]:
            text.append(byte)
        return text.decode("ascii")

    def close(self) -> None:
        """Nothing to do: the emulator's memory goes with it."""

    def _call(self, function: str, *words: int) -> int:
        return self._processor.call(f"{self._name}_{function}", words)


def _stages(image: ElfImage, sources: CSources) -> dict[int, str]:
    """The part of a step by address; empty where the source does not tell parts apart."""
    file = f"{sources.name}.c"
    lines = stage_lines(sources.files[file].decode("ascii", errors="replace"))
    functions = {f"{sources.name}_{function}" for function in ("step", "step_codes")}
    return stage_map(image.content, file, functions, lines) if lines else {}
