"""The supervisor's C compiled with a harness of ``c/``, as it is or changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ltc_edge.errors import CheckFailedError, InputError
from ltc_edge.supervision.codes import LATCHING, Fallback
from ltc_edge.supervision.compiled import COMMON
from ltc_edge.supervision.settings import Settings
from ltc_edge.supervision.settings_c import NAME, settings_c

HARNESS = Path(__file__).parent / "c"
FLAGS = (
    *("-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Wdouble-promotion", "-pedantic", "-Werror"),
    "-ffp-contract=off",
)
TIMEOUT_S = 1800


def small_settings(law: Fallback) -> Settings:
    """Settings with few states: times are quarters, of which float32 makes no others by adding."""
    pd = {"pd_gain": ((2.0, 0.0),), "pd_target": (0.25, 0.0)} if law == Fallback.PD else {}
    return Settings(
        observations=("needed", "not needed"),
        actions=("action",),
        dt_min_s=0.5,
        dt_max_s=1.0,
        gap_s=2.0,
        oldest_s=(0.25, 0.25),
        low=(-1.0,),
        high=(1.0,),
        slew=(0.75,),
        resting=(0.125,),
        fallback=law,
        hold_s=2.0,
        handover_s=2.0,
        misses_allowed=1,
        recover_steps=2,
        latching=LATCHING["controller-fault"],
        **pd,
    )


def run(command: Sequence[str | Path], folder: Path) -> str:
    """What a tool prints.

    Raises:
        InputError: it is not installed.
        CheckFailedError: it does not end with 0; the message ends with what it said.
    """
    try:
        done = subprocess.run(
            [str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except FileNotFoundError:
        raise InputError(f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise CheckFailedError(f"{Path(command[0]).name} has not ended within {TIMEOUT_S} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[:3000]
        raise CheckFailedError(f"{Path(command[0]).name} ended with {done.returncode}: {said}")
    return done.stdout


def compiled(
    sources: Sequence[str | Path],
    folder: Path,
    flags: Sequence[str] = (),
    changes: Mapping[str, str] | None = None,
) -> list[Path]:
    """Objects of a harness and of the supervisor, which do not depend on its settings.

    Args:
        sources: names of files in ``c/``, or paths.
        folder: where they come to lie.
        flags: beside `FLAGS`.
        changes: text of the supervisor that is replaced, to see that a harness notices.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ltc_supervisor.c").write_text(changed_supervisor(changes or {}), encoding="ascii")
    paths = [HARNESS / name for name in sources]
    run(["gcc", *FLAGS, *flags, f"-I{COMMON}", f"-I{HARNESS}", "-c", "ltc_supervisor.c", *paths], folder)
    return [folder / f"{path.stem}.o" for path in (*paths, Path("ltc_supervisor.c"))]


def linked(objects: Sequence[Path], settings: Settings, folder: Path, flags: Sequence[str] = ()) -> Path:
    """A program of `compiled` objects and settings."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{NAME}.c").write_text(settings_c(settings), encoding="ascii")
    run(["gcc", *FLAGS, *flags, f"-I{COMMON}", f"{NAME}.c", *objects, "-lm", "-o", "program"], folder)
    return folder / "program"


def changed_supervisor(changes: Mapping[str, str]) -> str:
    """``ltc_supervisor.c`` with pieces of it replaced.

    Raises:
        InputError: a piece is not there exactly once.
    """
    text = (COMMON / "ltc_supervisor.c").read_text(encoding="ascii")
    for old, new in changes.items():
        if text.count(old) != 1:
            raise InputError(f"ltc_supervisor.c has {text.count(old)} times: {old!r}")
        text = text.replace(old, new)
    return text


def printed_json(program: Path, *arguments: str | Path) -> dict[str, Any]:
    """The JSON object that a program prints."""
    document: dict[str, Any] = json.loads(run([program, *arguments], program.parent))
    return document
