"""Names for a controller's C: those that are taken, and one made of what the controller is called."""

from __future__ import annotations

import re
import unicodedata

from ltc_edge.errors import InputError
from ltc_edge.export.c.text import KEYWORDS

LONGEST = 40
"""Characters of a name."""

_IDENTIFIER = re.compile(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST - 1}}}")

_C_HEADERS = """
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg
stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype"""
_SYSTEM_HEADERS = """
alloca arduino binary client config dirent dlfcn endian features fcntl fpu kernel libgen malloc memory new
poll print printable pthread pwd sched sdkconfig search semaphore server shell spawn stream strings syslog
termios types udp uio unistd usbapi utime values wiring wstring zephyr"""
_DEVICES = """
aux con nul prn com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9"""
_MACROS = "linux unix i386 arm avr std"

RESERVED = frozenset(f"{_C_HEADERS} {_SYSTEM_HEADERS} {_DEVICES} {_MACROS}".split())
"""Names, in lower case, that are identifiers and still unfit for a controller: its ``<name>.h`` would stand
in for a system's header of that name, its files could not exist on Windows, or the word is a macro of some
compiler or a namespace."""


def is_taken(name: str) -> bool:
    """Whether a name belongs to a language, a system or the runtime, however it is capitalised."""
    lower = name.lower()
    return lower in KEYWORDS or lower in RESERVED or lower == "ltc" or lower.startswith("ltc_")


def check_name(name: str) -> None:
    """Refuse a name that cannot begin C identifiers, or whose header would stand in for another.

    Raises:
        InputError: it is none, or is taken.
    """
    if _IDENTIFIER.fullmatch(name) is None or is_taken(name):
        raise InputError(
            f"{name[:60]!r} cannot be the name of a controller in C: take a letter and up to {LONGEST - 1} "
            "letters, digits or underscores, no keyword, no system header's name, and no 'ltc_' before it, "
            f"such as {default_c_name(name)!r}"
        )


def default_c_name(controller_name: str) -> str:
    """The name in C of a controller called anything: the same every time, and one that `check_name` takes.

    Words are kept, in lower case and joined by underscores; accents go, and so does what has no letter in
    ASCII. Where nothing is left, or what is left is taken, the name begins with ``controller``.
    """
    plain = unicodedata.normalize("NFKD", controller_name).encode("ascii", "ignore").decode("ascii")
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", plain)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:LONGEST].rstrip("_")
    if not name:
        return "controller"
    if name[0].isdigit() or is_taken(name):
        name = f"controller_{name}"[:LONGEST].rstrip("_")
    return name
