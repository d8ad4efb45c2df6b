"""Random sequences of faults over a supervised controller in closed loop with its task's plants.

Plants are stepped by the task, many at a time; what goes wrong, the supervisor, the controller and the checks
are C. Of some sequences every step is done again by the supervisor in Python, and compared to the bit.
"""

from __future__ import annotations

import ctypes
import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.controller import Controller
from ltc_edge.errors import InputError
from ltc_edge.export.c import CSources
from ltc_edge.export.c.guard import NO_ACTION
from ltc_edge.supervision.codes import LATCHING, STATUS, Fallback, Mode
from ltc_edge.supervision.settings import Settings, default_settings, vector
from ltc_edge.supervision.settings_c import NAME, settings_c
from ltc_edge.supervision.supervisor import MEMORY_WORDS, Input, Supervisor
from ltc_edge.training.sources import TaskSource
from supervisor_bench.building import COMMON, HARNESS, changed_supervisor, run

FAULTS = (
    *("sensor-nan", "sensor-infinite", "sensor-stale", "sensor-stuck", "sensor-spike", "age-nan"),
    *("age-negative", "link-lost", "link-never", "dt-short", "dt-long", "dt-gap", "dt-negative", "dt-nan"),
    *("deadlines", "external-nan", "controller-nan", "controller-huge", "context-flip", "context-garbage"),
    *("context-restored", "memory-flip", "room-flip", "memory-garbage", "memory-plausible"),
)
"""What is injected, in the order of ``campaign.h``."""

UNTOLD = ("sensor-stuck", "sensor-spike", "controller-huge", "context-restored", "memory-plausible")
"""Faults that nothing can tell from what is right: of these the action alone is watched."""

VIOLATIONS = ("non_finite", "unbounded", "slew", "missing", "wrong", "mode")
_COUNTS = ("steps", "non_finite", "unbounded", "slew", "slew_excused", "missing", "wrong", "mode")
BATCH = 2000
_GCC = ("gcc", "-std=c99", "-O2", "-ffp-contract=off", "-fPIC")


class _Totals(ctypes.Structure):
    _fields_ = (
        *((name, ctypes.c_uint64) for name in _COUNTS),
        ("injected", ctypes.c_uint64 * len(FAULTS)),
        ("told", ctypes.c_uint64 * len(FAULTS)),
        ("statuses", ctypes.c_uint64 * 32),
        ("modes", ctypes.c_uint64 * 5),
        ("changes", ctypes.c_uint64 * 25),
    )


@dataclass
class Result:
    """What a campaign found; `to_json` says what there is."""

    sequences: int = 0
    totals: _Totals = field(default_factory=_Totals)
    compared: int = 0
    differing: int = 0

    def add(self, other: Result) -> None:
        """Count another campaign in."""
        self.sequences += other.sequences
        self.compared += other.compared
        self.differing += other.differing
        mine, theirs = (np.frombuffer(each.totals, dtype=np.uint64) for each in (self, other))
        mine += theirs

    @property
    def statuses_unseen(self) -> list[str]:
        """Names of the supervisor's bits that no step had."""
        return [name for name, bit in STATUS.items() if not self.totals.statuses[bit.value.bit_length() - 1]]

    @property
    def faults_untold(self) -> list[str]:
        """Faults that have a status of their own, which no step had."""
        return [
            name for index, name in enumerate(FAULTS) if name not in UNTOLD and not self.totals.told[index]
        ]

    @property
    def held(self) -> bool:
        """Whether nothing was violated, and Python and C did the same."""
        return self.differing == 0 and not any(getattr(self.totals, name) for name in VIOLATIONS)

    def to_json(self) -> dict[str, Any]:
        """Counts by name."""
        totals = self.totals
        return {
            "ok": self.held,
            "sequences": self.sequences,
            **{name: getattr(totals, name) for name in _COUNTS},
            "compared_with_python": self.compared,
            "differing_from_python": self.differing,
            "faults": {
                name: {"steps": totals.injected[index]}
                | ({} if name in UNTOLD else {"with_their_status": totals.told[index]})
                for index, name in enumerate(FAULTS)
            },
            "statuses": {name: totals.statuses[bit.value.bit_length() - 1] for name, bit in STATUS.items()},
            "statuses_unseen": self.statuses_unseen,
            "faults_untold": self.faults_untold,
            "modes": {mode.name.lower(): totals.modes[mode] for mode in Mode},
            "changes_of_mode": {
                f"{before.name.lower()} to {after.name.lower()}": totals.changes[5 * before + after]
                for before in Mode
                for after in Mode
                if before != after and totals.changes[5 * before + after]
            },
        }


def settings_of(controller: Controller, law: Fallback) -> Settings:
    """A controller's settings with a fallback law; at rest, the controller's faults latch."""
    settings = default_settings(controller)
    if law == Fallback.HOLD:
        return settings
    if law == Fallback.REST:
        return dataclasses.replace(settings, fallback=law, latching=LATCHING["controller-fault"])
    # Gains of either sign, and one reading that is not needed.
    inputs = len(settings.observations)
    gains = vector([0.0 if index == inputs - 1 else (-1.0) ** index for index in range(inputs)])
    rows = (gains,) * len(settings.actions)
    return dataclasses.replace(settings, fallback=law, pd_gain=rows, pd_target=vector([0.1] * inputs))


@dataclass(frozen=True)
class Harness:
    """A controller and the campaign's own C as objects: the same for all settings of a supervisor.

    Attributes:
        objects: compiled, for a shared library.
        inputs, actions: of the controller.
    """

    objects: tuple[Path, ...]
    inputs: int
    actions: int


def compile_harness(sources: CSources, controller: Controller, folder: Path) -> Harness:
    """Compile a controller's C with the campaign's, once for all laws.

    Raises:
        CheckFailedError: gcc fails.
        InputError: gcc is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in sources.files.items():
        (folder / name).write_bytes(content)
    name = sources.name
    named = (
        f"-DCONTROLLER={name}",
        f"-DCONTROLLER_UPPER={name.upper()}",
        f'-DCONTROLLER_HEADER="{name}.h"',
    )
    own = [HARNESS / file for file in ("campaign.c", "campaign_checks.c", "campaign_faults.c")]
    paths = [*own, *(folder / file for file in sources.files if file.endswith(".c"))]
    run([*_GCC, *named, "-I.", f"-I{COMMON}", f"-I{HARNESS}", "-c", *paths], folder)
    objects = tuple(folder / f"{path.stem}.o" for path in paths)
    return Harness(objects, len(controller.observations), len(controller.actions))


class Campaign:
    """Sequences over one controller, one law.

    Args:
        harness: the controller's.
        settings: of the supervisor.
        task: whose plants close the loop.
        folder: where the rest of the C is compiled.
        changes: text of the supervisor that is replaced, to see that the campaign notices.
    """

    def __init__(
        self,
        harness: Harness,
        settings: Settings,
        task: Any,
        folder: Path,
        changes: Mapping[str, str] | None = None,
    ) -> None:
        self._settings, self._task = settings, task
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ltc_supervisor.c").write_text(changed_supervisor(changes or {}), encoding="ascii")
        (folder / f"{NAME}.c").write_text(settings_c(settings), encoding="ascii")
        rest = ("ltc_supervisor.c", f"{NAME}.c", "-lm", "-o", "campaign.so")
        run([*_GCC, f"-I{COMMON}", "-shared", *harness.objects, *rest], folder)
        self._library = ctypes.CDLL(str(folder / "campaign.so"))
        self._row_bytes, record = (
            ctypes.c_uint32.in_dll(self._library, f"campaign_{what}_bytes").value
            for what in ("row", "record")
        )
        self._layout = _record_layout(harness.inputs, harness.actions)
        assert self._layout.itemsize == record

    def run(self, sequences: int, steps: int, seed: int, compared: int = 0) -> Result:
        """Do so many sequences, each of ``steps`` periods; of the first ``compared`` Python does the same."""
        result = Result(sequences=sequences)
        for start in range(0, sequences, BATCH):
            count = min(BATCH, sequences - start)
            followed = max(0, min(count, compared - start))
            self._batch(count, steps, seed + start, followed, result)
        return result

    def _batch(self, count: int, steps: int, seed: int, followed: int, result: Result) -> None:
        plants = self._task.make_plants()
        readings = plants.reset(list(range(seed, seed + count)))
        everyone = np.ones(count, dtype=np.bool_)
        rows = ctypes.create_string_buffer(count * self._row_bytes)
        action = np.zeros((count, len(self._settings.actions)), dtype=np.float32)
        self._library.campaign_start(rows, count, ctypes.c_uint64(seed))
        records = np.zeros((followed, steps), dtype=self._layout)
        for step in range(steps):
            # A plant that fell goes on falling, but as numbers that a sensor can show.
            observation = np.ascontiguousarray(np.clip(readings.observation, -3e38, 3e38), dtype=np.float32)
            dt_s = np.ascontiguousarray(readings.dt_s, dtype=np.float32)
            places = (ctypes.c_void_p(array.ctypes.data) for array in (observation, dt_s, action))
            self._library.campaign_step(rows, count, *places, ctypes.byref(result.totals))
            for number in range(followed):
                place = ctypes.c_void_p(records[number, step : step + 1].ctypes.data)
                self._library.campaign_record(rows, number, place)
            readings = plants.step(action.astype(np.float64), everyone)
        plants.close()
        for sequence in records:
            result.compared += 1
            result.differing += not _does_the_same(self._settings, sequence)


def _record_layout(inputs: int, actions: int) -> np.dtype[Any]:
    """``record`` of ``campaign.h``."""
    word, number = np.uint32, np.float32
    return np.dtype(
        [
            ("observation", number, (inputs,)),
            ("age_s", number, (inputs,)),
            ("external", number, (actions,)),
            ("dt_s", number),
            ("missed", word),
            ("requests", word),
            ("memory_before", word, (MEMORY_WORDS,)),
            ("room_before", word, (5 * actions,)),
            ("resets", word),
            ("reset_status", word),
            ("steps", word),
            ("own_status", word),
            ("proposal", number, (actions,)),
            ("action", number, (actions,)),
            ("status", word),
            ("memory_after", word, (MEMORY_WORDS,)),
            ("room_after", word, (5 * actions,)),
        ]
    )


class _Told:
    """A controller that does what a record says that it did; it counts how often it was asked."""

    def __init__(self) -> None:
        self.record: Any = None
        self.resets = self.steps = 0

    def reset(self) -> int:
        self.resets += 1
        return int(self.record["reset_status"]) if self.record is not None else 0

    def step(self, _: Any, __: float) -> tuple[int, Any]:
        self.steps += 1
        return int(self.record["own_status"]), self.record["proposal"].copy()


def _does_the_same(settings: Settings, sequence: Any) -> bool:
    """Whether the supervisor in Python gives the bits of every step of a sequence."""
    told = _Told()
    twin = Supervisor(settings, told, NO_ACTION)
    return all(_is_same_step(twin, told, record) for record in sequence)


def _is_same_step(twin: Supervisor, told: _Told, record: Any) -> bool:
    told.record, told.resets, told.steps = record, 0, 0
    twin.memory[:] = record["memory_before"]
    twin.room.view(np.uint32)[:] = record["room_before"]
    given = Input(
        observation=record["observation"].tolist(),
        dt_s=float(record["dt_s"]),
        age_s=record["age_s"].tolist(),
        external=record["external"].tolist(),
        missed=int(record["missed"]),
        requests=int(record["requests"]),
    )
    found = twin.step(given)
    return (
        found.status == record["status"]
        and found.action == tuple(record["action"].tolist())
        and (told.resets, told.steps) == (record["resets"], record["steps"])
        and np.array_equal(twin.memory, record["memory_after"])
        and np.array_equal(twin.room.view(np.uint32), record["room_after"])
    )


def campaigns(bundle: Any, form: str, folder: Path) -> Iterator[tuple[Fallback, Campaign]]:
    """A campaign over a bundle's controller with each fallback law.

    Raises:
        InputError: the bundle is for no task.
    """
    from ltc_edge.deploy.sources import trusted_sources

    source = bundle.source()
    if not isinstance(source, TaskSource):
        raise InputError(f"{bundle.path}: is for no task, whose plants could close the loop")
    sources = trusted_sources(bundle, form).c_sources()
    harness = compile_harness(sources, bundle.controller, folder)
    for law in Fallback:
        settings = settings_of(bundle.controller, law)
        yield law, Campaign(harness, settings, source.load(), folder / law.name)
