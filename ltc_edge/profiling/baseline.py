"""Comparing a profile with an earlier one: what became slower by more than chance explains.

With an earlier bundle, both are timed on the same device in the same rounds, and each round gives a ratio:
that tells a few percent on a busy machine too. With the JSON of an earlier profile, the machine may be
another one today. Each round of a profile therefore times two fixed pieces of work beside the formats; where
they became slower, a format is allowed to have become so by more (`SENSITIVITY`), since a neighbour on the
same core hits it harder. Ratios have an interval from a bootstrap over the rounds. Instructions in an
emulator are compared as they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ltc_edge.errors import InputError

FORMAT, SCHEMA = "ltc-edge profile", 1
MAX_BYTES = 1 << 26
TOLERANCE = 0.05
"""A slow-down below it is none: two builds of the same source may differ by as much."""
CONFIDENCE = 0.99
SENSITIVITY = 3.0
"""A format may slow down by the yardsticks' factor to this power: so it was with ONNX Runtime, which a
neighbour on its core hits most."""
STEADY = 1.03
"""Below it the machine counts as no slower."""
RESAMPLES, SEED = 4000, 20_066
LEAST_ROUNDS, MOST_ROUNDS = 5, 10_000
LEAST, MOST = 1e-6, 1e15
"""Beyond these, a number of microseconds or instructions is none."""

Document = Mapping[str, Any]
Array = npt.NDArray[np.float64]


def read_baseline(path: Path, kind: str) -> dict[str, Any]:
    """An earlier profile.

    Args:
        path: of its JSON.
        kind: of target that it must be of.

    Raises:
        InputError: there is none, it is damaged, of another version, or of another kind of target.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InputError(f"{path}: cannot be read (not a file)")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        document = json.loads(content[:MAX_BYTES])
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is no profile of `ltc-edge profile`") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InputError(f"{path}: is no profile of `ltc-edge profile`")
    if document.get("schema") != SCHEMA:
        raise InputError(f"{path}: is of schema {document.get('schema')!r:.40}, not {SCHEMA}; profile again")
    if document.get("kind") != kind:
        raise InputError(f"{path}: is of the kind {document.get('kind')!r:.40}, and this target is {kind!r}")
    if not isinstance(document.get("formats"), dict):
        raise InputError(f"{path}: has no formats; profile again")
    return document


def compare(
    file: Path, earlier: Mapping[str, Document], rows: Mapping[str, Document], *, interleaved: bool
) -> dict[str, Any]:
    """What the profile has under ``baseline``; formats that are not in both are left out.

    Args:
        file: of the earlier profile, or the earlier bundle.
        earlier: the formats then.
        rows: the formats now.
        interleaved: whether both were timed in the same rounds.

    Raises:
        InputError: a format's figures there are no figures, or no format can be compared.
    """
    found = {}
    for name, row in rows.items():
        before = earlier.get(name)
        if row["status"] != "ok" or not isinstance(before, Mapping) or before.get("status") != "ok":
            continue
        try:
            times = _compare_paired if interleaved else _compare_times
            compared = _compare_instructions(row, before) or times(row, before)
        except (TypeError, ValueError, KeyError, OverflowError):
            raise InputError(f"{file}: the figures of {name} are damaged; profile again") from None
        if compared is not None:
            found[name] = compared
    if not found:
        raise InputError(f"{file}: has no format that was timed there and here")
    return {
        "file": str(file),
        "interleaved": interleaved,
        "tolerance": TOLERANCE,
        "confidence": CONFIDENCE,
        "formats": found,
    }


def refuse_other_device(file: Path, earlier: Document, device: Document) -> None:
    """Refuse an earlier profile of another device: its times say nothing of this one's.

    Raises:
        InputError: it is of another model or processor.
    """
    then = earlier.get("device")
    for key in ("model", "soc", "machine"):
        known = then.get(key) if isinstance(then, Mapping) else None
        if known != device.get(key):
            raise InputError(
                f"{file}: is a profile of another device ({key} {known!r}, here {device.get(key)!r}); "
                "profile that one, or compare with a bundle"
            )


def regressions(compared: Document) -> list[str]:
    """What became slower, a line each."""
    return [
        f"{name}: {100 * (entry['ratio'] - 1):.1f} % slower than in {compared['file']} "
        f"(99 % interval {100 * (entry['ci99'][0] - 1):.1f} to {100 * (entry['ci99'][1] - 1):.1f} %)"
        for name, entry in compared["formats"].items()
        if entry["regression"]
    ]


def _compare_instructions(row: Document, before: Document) -> dict[str, Any] | None:
    now, then = row.get("instructions_per_step"), before.get("instructions_per_step")
    if not now or not then:
        return None
    if isinstance(then, bool | str) or not LEAST <= float(then) <= MOST:
        raise ValueError
    ratio = float(now) / float(then)
    regression = ratio > 1 + TOLERANCE
    return {
        "of": "instructions",
        "ratio": ratio,
        "ci99": [ratio, ratio],
        "regression": regression,
        "verdict": "slower" if regression else "not slower",
    }


def _compare_paired(row: Document, before: Document) -> dict[str, Any] | None:
    """Of rounds that both were timed in, one after the other."""
    now, then = _rounds(row), _rounds(before)
    if now is None or then is None:
        return None
    count = min(len(now), len(then))
    ratios = now[:count, 0] / then[:count, 0]
    medians = np.median(_resampled(np.random.default_rng(SEED), ratios), axis=1)
    return _verdict(float(np.median(ratios)), medians, 1.0)


def _compare_times(row: Document, before: Document) -> dict[str, Any] | None:
    now, then = _rounds(row), _rounds(before)
    if now is None or then is None:
        return None
    rng = np.random.default_rng(SEED)
    medians = np.median(_resampled(rng, now), axis=1) / np.median(_resampled(rng, then), axis=1)
    slower = np.median(now, axis=0) / np.median(then, axis=0)
    machine = float(slower[1:].max())
    return _verdict(float(slower[0]), medians[:, 0], machine)


def _verdict(ratio: float, medians: Array, machine: float) -> dict[str, Any]:
    """Of a ratio, its resampled medians, and how many times slower the machine became."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(medians, [tail, 1 - tail]).tolist()
    allowed = (1 + TOLERANCE) * (machine**SENSITIVITY if machine > STEADY else 1.0)
    regression = bool(low > allowed)
    return {
        "of": "time",
        "ratio": ratio,
        "ci99": [low, high],
        "machine_slower": machine,
        "allowed": allowed,
        "regression": regression,
        "verdict": "slower" if regression else "not slower" if high <= allowed else "cannot be told",
    }


def _rounds(row: Document) -> Array | None:
    """Of each round the times of a step and of both yardsticks, ``(n, 3)``; None where there are too few."""
    if row.get("rounds_us") is None or row.get("yardsticks_us") is None:
        return None
    times = np.reshape(row["rounds_us"], len(row["rounds_us"]))
    rounds = np.column_stack([times, np.reshape(row["yardsticks_us"], (-1, 2))]).astype(np.float64)
    if len(rounds) > MOST_ROUNDS or not ((rounds >= LEAST) & (rounds <= MOST)).all():
        raise ValueError
    return rounds if len(rounds) >= LEAST_ROUNDS else None


def _resampled(rng: np.random.Generator, rounds: Array) -> Array:
    return rounds[rng.integers(0, len(rounds), (RESAMPLES, len(rounds)))]
