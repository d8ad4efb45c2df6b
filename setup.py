"""What pyproject.toml cannot say: the library of fused kernels is compiled into the wheel.

LTC_EDGE_KERNEL_WHEEL chooses the wheel:

    auto            with the library where there is a compiler, otherwise without; also where not set
    pure            without it: py3-none-any
    linux_aarch64   or another platform: with it, or fail; CC may name a cross compiler

The C is in every wheel, so one without the library compiles it on first use.
"""

from __future__ import annotations

import logging
import os
import sys
import sysconfig
import types
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build import build
from setuptools.errors import SetupError

# What compiles the library is in the package, whose __init__ wants what is not installed yet.
package = types.ModuleType("ltc_edge")
package.__path__ = [str(Path(__file__).parent / "ltc_edge")]
sys.modules["ltc_edge"] = package

from ltc_edge.errors import KernelError  # noqa: E402
from ltc_edge.kernels import compile as kernels  # noqa: E402
from ltc_edge.kernels import library_file  # noqa: E402

FOLDER = Path("ltc_edge", "kernels")
CHOICE = os.environ.get("LTC_EDGE_KERNEL_WHEEL") or "auto"


class KernelDistribution(Distribution):
    """A distribution of one platform as long as its library can be compiled."""

    has_library = CHOICE != "pure"

    def has_ext_modules(self) -> bool:
        """Whether files are of one platform: by this setuptools chooses folders."""
        return self.has_library


class build_kernels(Command):
    """Compile the library into the build, or for an editable installation into the checkout."""

    description = "compile the fused kernels"
    user_options: ClassVar[list[tuple[str, str | None, str]]] = []

    def initialize_options(self) -> None:
        self.build_lib: str | None = None
        self.editable_mode = False

    def finalize_options(self) -> None:
        self.set_undefined_options("build", ("build_lib", "build_lib"))

    def run(self) -> None:
        folder = FOLDER if self.editable_mode else Path(self.build_lib, FOLDER)
        library_file.withdraw(folder)
        if not self.distribution.has_library:
            return
        try:
            compiler = kernels.ask_compiler()
            compiler.check_platform(sysconfig.get_platform() if CHOICE == "auto" else CHOICE)
            made = kernels.build(kernels.read_sources(FOLDER / "source"), compiler)
            folder.mkdir(parents=True, exist_ok=True)
            library_file.publish(made, folder)
        except KernelError as error:
            if CHOICE != "auto":
                raise SetupError(f"LTC_EDGE_KERNEL_WHEEL={CHOICE}: {error}") from None
            self.distribution.has_library = False
            self.warn(f"going on without the fused kernels, which are compiled on first use: {error}")
        else:
            self.announce(f"compiled the fused kernels for {', '.join(made.instruction_sets)}", logging.INFO)
            if made.left_out:
                self.warn(f"the compiler does not know {', '.join(made.left_out)}: the kernels lack it")

    def get_source_files(self) -> list[str]:
        return [str(path) for path in sorted((FOLDER / "source").iterdir()) if path.suffix in (".c", ".h")]

    def get_outputs(self) -> list[str]:
        names = (library_file.LIBRARY, library_file.RECORD) if self.distribution.has_library else ()
        return [str(Path(self.build_lib, FOLDER, name)) for name in names]

    def get_output_mapping(self) -> dict[str, str]:
        outputs = self.get_outputs() if self.editable_mode else []
        return {output: str(FOLDER / Path(output).name) for output in outputs}


class tagged_wheel(bdist_wheel):
    """A wheel for any Python, of one platform if the library is in it."""

    def run(self) -> None:
        self.run_command("build")
        self.root_is_pure = not self.distribution.has_library
        super().run()

    def get_tag(self) -> tuple[str, str, str]:
        if not self.distribution.has_library:
            return "py3", "none", "any"
        return "py3", "none", super().get_tag()[2] if CHOICE == "auto" else CHOICE


build.sub_commands = [*build.sub_commands, ("build_kernels", None)]
setup(distclass=KernelDistribution, cmdclass={"build_kernels": build_kernels, "bdist_wheel": tagged_wheel})
