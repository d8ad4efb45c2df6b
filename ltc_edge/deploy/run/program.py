"""The loop program of a bundle on this machine: kept from an earlier run, or built anew."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ltc_edge.deploy.linux.build import PROGRAM, build_here
from ltc_edge.deploy.linux.loop_source import LoopSource
from ltc_edge.deploy.run.program_cache import kept
from ltc_edge.errors import CacheError, KernelError, OutputError
from ltc_edge.files import write_atomically
from ltc_edge.kernels.compile import ask_compiler
from ltc_edge.runtimes.c_compiler import find_compiler


@contextmanager
def loop_program(
    source: LoopSource, *, keep: bool = True, on_note: Callable[[str], None] = lambda _: None
) -> Iterator[Path]:
    """The program, where it may be kept, and otherwise in a temporary folder that goes at the end.

    Args:
        source: what it is made of.
        keep: take one that was built before from the same, and keep one that is built.
        on_note: told why it is not kept after all.

    Raises:
        MissingToolError: there is no C compiler or no make.
        InputError: it cannot be built.
    """
    tree, variables, command = source.tree(), source.variables(), find_compiler()

    def build() -> bytes:
        return build_here(tree, command, variables).content

    if keep:
        try:
            path = kept(tree, variables, ask_compiler(command), build)
        except (CacheError, KernelError) as error:
            on_note(f"the program is built for this run alone: {error}")
        else:
            yield path
            return
    with tempfile.TemporaryDirectory(prefix="ltc-edge-run-") as folder:
        path = Path(folder) / PROGRAM
        path.write_bytes(build())
        path.chmod(0o700)
        yield path


def write_generated(source: LoopSource, folder: Path) -> None:
    """Write the generated files, for who builds the example by hand.

    Raises:
        OutputError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror})") from None
    for name, content in source.generated.items():
        write_atomically(folder / name, content)
