"""What a worker is told of a model, and what every runtime makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


class ModelError(Exception):
    """A model that cannot be loaded, or does not step as it was said to."""


@dataclass(frozen=True)
class Spec:
    """A model that steps a state.

    Attributes:
        path: its file.
        feeds: file of the rows that an input is fed with, by the input's name; an input without any is fed
            numbers drawn at random.
        states: pairs of an input and the output that goes back into it.
        starts: file of a state's first value, by its input's name; zeros where there is none.
        action: the output to hand back; the first that is no state where None.
    """

    path: Path
    feeds: dict[str, Path]
    states: list[tuple[str, str]]
    starts: dict[str, Path]
    action: str | None

    @classmethod
    def from_json(cls, document: dict[str, Any], folder: Path) -> Spec:
        """As a request says it; files are in ``folder``."""

        def files(names: dict[str, str]) -> dict[str, Path]:
            return {key: folder / Path(name).name for key, name in names.items()}

        states = [(str(source), str(target)) for source, target in document["states"]]
        action = document.get("action")
        path = folder / Path(document["model"]).name
        return cls(path, files(document["feeds"]), states, files(document["starts"]), action)


class Model(Protocol):
    """A model in its runtime, with buffers that were made once.

    Attributes:
        version: of the runtime.
        step: one step: of the state and what `feed` put in place.
        invoke: the runtime's own part of a step, where that is less.
    """

    version: str
    step: Callable[[], Any]
    invoke: Callable[[], Any] | None

    def feed(self, index: int) -> None:
        """Put the inputs of step ``index`` in place."""
        ...

    def reset(self) -> None:
        """Go to the state before the first step."""
        ...

    def action(self) -> tuple[str, bytes]:
        """Type and bytes of what the last step gave."""
        ...


ROWS = 64
"""Rows drawn at random for an input that is fed nothing."""
MOST_NUMBERS = 1 << 20
"""In a tensor, or in all rows of one: no controller has as many, and a small device no memory for more."""


def rows(numpy: Any, path: Path | None, dtype: Any, shape: tuple[int, ...], seed: int) -> Any:
    """Rows to feed an input with, ``(n, *shape)``: those of a file, or drawn at random.

    Raises:
        ModelError: the file has no whole number of rows.
    """
    if path is None:
        count = max(min(ROWS, MOST_NUMBERS // max(_numbers(shape), 1)), 1)
        drawn = numpy.random.default_rng(seed).normal(size=(count, *shape))
        return drawn.astype(dtype) if numpy.dtype(dtype).kind == "f" else numpy.zeros((count, *shape), dtype)
    content = path.read_bytes()
    size = numpy.dtype(dtype).itemsize
    for extent in shape:
        size *= extent
    if not content or len(content) % size:
        raise ModelError(f"{path.name} has {len(content)} bytes, not rows of {size}: {dtype} {shape}")
    return numpy.frombuffer(content, dtype).reshape(-1, *shape)


def pick_action(spec: Spec, outputs: list[str]) -> str:
    """The output to hand back.

    Where nothing but states comes out, the first of them.

    Raises:
        ModelError: there is no such output, or none at all.
    """
    if not outputs or spec.action not in (None, *outputs):
        raise ModelError(f"{spec.path.name} has no output {spec.action!r}, only {', '.join(outputs)}")
    fed_back = [target for _, target in spec.states]
    return spec.action or next((name for name in outputs if name not in fed_back), outputs[0])


def check_states(spec: Spec, inputs: dict[str, tuple[Any, Any]], outputs: dict[str, tuple[Any, Any]]) -> None:
    """That every state is an input and an output of the same type and shape.

    Raises:
        ModelError: it is not.
    """
    for source, target in spec.states:
        for what, name, known in (("input", source, inputs), ("output", target, outputs)):
            if name not in known:
                raise ModelError(f"{spec.path.name} has no {what} {name!r}, only {', '.join(known)}")
        if inputs[source] != outputs[target]:
            raise ModelError(
                f"{spec.path.name}: the state goes out as {_said(outputs[target])} and in as "
                f"{_said(inputs[source])}; they must be alike"
            )


def check_sizes(spec: Spec, *tensors: dict[str, tuple[Any, Any]]) -> None:
    """That every input and output is one of a controller's, before memory is asked for.

    Raises:
        ModelError: it is not.
    """
    for name, tensor in ((name, tensor) for named in tensors for name, tensor in named.items()):
        if min(tensor[1], default=1) < 0 or _numbers(tensor[1]) > MOST_NUMBERS:
            raise ModelError(
                f"{spec.path.name}: {name} is a {_said(tensor)}; controllers have at most "
                f"{MOST_NUMBERS:,} numbers in one"
            )


def _numbers(shape: tuple[int, ...]) -> int:
    count = 1
    for extent in shape:
        count *= extent
    return count


def _said(tensor: tuple[Any, Any]) -> str:
    return f"{tensor[0]} {list(tensor[1])}"
