"""What assurance looks at: generated controllers of every kind of cell, and the whole runtime."""

from __future__ import annotations

import functools
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from ltc_edge.bundle.calibration import from_excitation
from ltc_edge.controller import Controller
from ltc_edge.export.c import CSources, c_float32, c_int16
from ltc_edge.export.c.bounds import LARGEST, proved_bounds
from ltc_edge.export.c.guard import guard_of
from ltc_edge.export.c.text import float_literal
from ltc_edge.export.hub.reader import controller_from_bytes
from ltc_edge.export.hub.writer import hub_bytes
from ltc_edge.export.quantize import make_plan

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "export" / "c" / "runtime"
HARNESS = Path(__file__).parent / "c"
NAME = "subject"
"""Every controller under assurance is called so, such that one harness fits them all."""

TYPES = ("float32", "int16")
SHARPER = " steep"
"""After the kind of an LTC: its synapses are so sharp that its sub-steps must clamp their exponents."""
STEEP = ("ltc" + SHARPER, "ltc exponential" + SHARPER)

SPARSE = "lstm sparse"
"""An LSTM half of whose weights are zero, which are then a list."""

UNPROVED = ("ltc euler", "ltc rk4")
"""Explicit solvers, of whose state nothing is proved: they have no integer form."""


@dataclass(frozen=True)
class Subject:
    """A controller in C under the name `NAME`."""

    kind: str
    controller: Controller
    sources: CSources

    @property
    def label(self) -> str:
        """How reports call it."""
        return f"{self.kind}, {self.sources.state_type}"

    def generated(self) -> Mapping[str, bytes]:
        """The controller's own two files."""
        return {file: content for file, content in self.sources.files.items() if file.startswith(f"{NAME}.")}

    def files(self) -> Mapping[str, bytes]:
        """All sources, and what the harness needs to know of them."""
        return {**self.sources.files, "subject_facts.h": _facts(self).encode("ascii")}


@functools.cache
def _cases() -> ModuleType:
    """The controllers of the runtimes' tests: one place says what every kind is."""
    path = ROOT / "tests" / "runtimes" / "test_steppers.py"
    spec = importlib.util.spec_from_file_location("assurance_cases", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def kinds() -> tuple[str, ...]:
    """Every kind of cell, `STEEP` and `SPARSE`."""
    return (*_cases().CELLS, *STEEP, SPARSE)


@functools.cache
def subject(kind: str, state_type: str = "float32") -> Subject:
    """The controller of one kind, by way of the hub as every exported one."""
    made = _cases().controller("lstm" if kind == SPARSE else kind.removesuffix(SHARPER))
    if kind == SPARSE:
        weights = {name: made.parameters[name].copy() for name in ("weight_ih", "weight_hh")}
        for weight in weights.values():
            weight[:, ::2] = 0.0
        made = replace(made, name=SPARSE, parameters={**made.parameters, **weights})
    if kind in STEEP:
        sharper = {name: 40.0 * made.parameters[name] for name in ("sigma", "sensory_sigma")}
        # Sub-steps that are even in number end in another half of the scratch than odd ones do.
        cell = replace(made.cell, unfolds=2)
        made = replace(made, name=kind, cell=cell, parameters={**made.parameters, **sharper})
    return subject_of(controller_from_bytes(hub_bytes(made), kind), kind, state_type)


def subject_of(controller: Controller, kind: str, state_type: str) -> Subject:
    """Any controller as a subject."""
    if state_type == "float32":
        return Subject(kind, controller, c_float32(controller, NAME))
    plan = make_plan(controller, (from_excitation(controller),))
    return Subject(kind, controller, c_int16(controller, plan, NAME))


def subjects(wanted: tuple[str, ...] = ()) -> Iterator[Subject]:
    """Of the kinds that are wanted, or all, in every type that they have."""
    for kind in wanted or kinds():
        for state_type in TYPES:
            if state_type != "int16" or kind not in UNPROVED:
                yield subject(kind, state_type)


def scratch_size(made: Subject) -> int:
    """Items of the array in which a step keeps its vectors."""
    found = re.search(rb" scratch\[(\d+)\];", made.sources.files[f"{NAME}.c"])
    assert found is not None
    return int(found[1])


def _facts(made: Subject) -> str:
    """``subject_facts.h``: what a harness holds the controller to, as its controller file says it."""
    controller, bounds = made.controller, proved_bounds(made.controller)
    guard = guard_of(controller, bounds)
    slew = guard.slew if guard.slew is not None else np.full(len(guard.fallback), LARGEST, dtype=np.float32)
    normalizer = controller.normalizer
    vectors = {
        "action_low": guard.action_low,
        "action_high": guard.action_high,
        "action_slew": slew,
        "fallback": guard.fallback,
        "dt_range": guard.dt_range,
        "offset": normalizer.offset.astype(np.float32),
        "scale": normalizer.scale.astype(np.float32),
    }
    real = made.sources.state_type == "float32"
    if real:
        vectors |= {"state_low": guard.state_low, "state_high": guard.state_high}
    lines = [
        f"typedef {'float' if real else 'int16_t'} subject_item;",
        f"#define SUBJECT_FLOAT {int(real)}",
        f"#define SUBJECT_SLEWED {int(controller.is_slew_limited)}",
        f"#define SUBJECT_PROVED {int(made.kind not in UNPROVED)}",
    ]
    for name, values in vectors.items():
        lines.append(f"static const float subject_{name}[{len(values)}] = {{")
        lines.append(f"    {', '.join(map(float_literal, values))}")
        lines.append("};")
    return "\n".join(lines) + "\n"
