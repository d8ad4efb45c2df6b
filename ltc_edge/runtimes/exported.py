"""The stepper of an exported format, whatever runs it."""

from __future__ import annotations

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.artifacts import Artifact
from ltc_edge.runtimes.stepper import Stepper

HOST = "host"
"""The target that is this machine."""

SERIAL = "serial:"
"""Begins a target that is a board on a serial line, before its port: see docs/serial-protocol.md."""


def exported_stepper(artifact: Artifact, controller: Controller, target: str = HOST) -> Stepper:
    """A stepper over an exported format.

    Args:
        artifact: the format's files.
        controller: what it was made from.
        target: what executes a format in C: this machine, the name of a target to emulate, or
            ``serial:PORT`` for a board whose firmware has this very controller.

    Raises:
        ControllerFileError: its runtime refuses the file.
        MissingExtraError: its runtime, compiler or emulator is not installed.
        InputError: the format does not run on that target.
        DeviceError: the board does not answer, or has another controller.
    """
    if artifact.form.runtime == "c":
        return _c_stepper(artifact, controller, target)
    if target != HOST:
        raise InputError(f"{artifact.form.name} does not run on {target}: formats in C do, such as c-int16")
    if artifact.form.runtime == "onnx":
        from ltc_edge.runtimes.onnx_runtime import OnnxStepper

        return OnnxStepper(artifact.content, controller, artifact.interface)
    from ltc_edge.runtimes.litert_runtime import LiteRTStepper

    return LiteRTStepper(artifact.content, controller, artifact.interface)


def _c_stepper(artifact: Artifact, controller: Controller, target: str) -> Stepper:
    from ltc_edge.runtimes.c_stepper import CStepper
    from ltc_edge.runtimes.machine import Machine

    sources = artifact.c_sources()
    machine: Machine
    if target == HOST:
        from ltc_edge.runtimes.host_machine import HostMachine

        machine = HostMachine(sources, controller)
    elif target.startswith(SERIAL):
        from ltc_edge.runtimes.serial_lines import PortLine
        from ltc_edge.runtimes.serial_machine import SerialMachine

        line = PortLine(target.removeprefix(SERIAL))
        machine = SerialMachine(line, controller, sources.item_bytes, version=sources.version())
    else:
        from ltc_edge.runtimes.emulated_machine import EmulatedMachine
        from ltc_edge.targets import find_target

        machine = EmulatedMachine(sources, controller, find_target(target))
    return CStepper(machine, controller, artifact.interface.state)
