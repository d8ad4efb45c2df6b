"""What an exported graph's inputs and outputs hold: plain float32 values, or integer codes of them.

A quantised graph reads and writes integers. A channel's real value ``raw`` and its code are related by

    code = saturate(rint((raw − center) / span / scale) + zero_point)
    raw  = center + span · scale · (code − zero_point)

``center`` and ``span`` belong to the channel, ``scale`` and ``zero_point`` to the tensor. In a float32
tensor the code is ``(raw − center) / span`` itself; a float graph has centers of 0 and spans of 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray
from ltc_edge.controller import Controller
from ltc_edge.errors import InputError

CodeType = Literal["float32", "int16", "int8"]
CodeArray = npt.NDArray[Any]

MAX_CHANNELS = 1 << 14
"""More than any controller's state has: a hostile file must not claim all memory."""

_FIELDS = ("dtype", "center", "span", "scale", "zero_point")
_TENSORS = ("observation", "dt", "state", "action")


@dataclass(frozen=True, eq=False)
class Codes:
    """How the ``n`` channels of one tensor are coded.

    Attributes:
        dtype: type of the tensor.
        center: real value whose code is ``zero_point``, ``(n,)``.
        span: real values per coded unit, ``(n,)``, positive.
        scale: coded units per step of the integer; 1 in a float32 tensor.
        zero_point: integer that means ``center``; 0 in a float32 tensor.

    Raises:
        InputError: a size, type or number is out of range.
    """

    dtype: CodeType
    center: npt.NDArray[np.float64]
    span: npt.NDArray[np.float64]
    scale: float = 1.0
    zero_point: int = 0
    _range: tuple[float, float] = field(init=False, repr=False)
    _identity: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.dtype not in get_args(CodeType):
            raise InputError(f"codes: dtype must be float32, int16 or int8, not {self.dtype!r}")
        if self.center.ndim != 1 or self.center.shape != self.span.shape or len(self.center) > MAX_CHANNELS:
            raise InputError(
                f"codes: center {self.center.shape} and span {self.span.shape} must be equal vectors of at "
                f"most {MAX_CHANNELS} channels"
            )
        for name in ("center", "span"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))
        if not (np.isfinite(self.center).all() and np.isfinite(self.span).all() and (self.span > 0).all()):
            raise InputError("codes: centers must be finite and spans positive")
        if not (math.isfinite(self.scale) and self.scale > 0):
            raise InputError(f"codes: scale {self.scale} must be positive and finite")
        limits = np.finfo(np.float32) if self.dtype == "float32" else np.iinfo(self.dtype)
        low, high = float(limits.min), float(limits.max)
        if not low <= self.zero_point <= high:
            raise InputError(f"codes: zero_point {self.zero_point} is outside {self.dtype}")
        if self.dtype == "float32" and (self.scale, self.zero_point) != (1.0, 0):
            raise InputError("codes: a float32 tensor has scale 1 and zero_point 0")
        object.__setattr__(self, "_range", (low, high))
        plain = not self.center.any() and bool((self.span == 1.0).all())
        object.__setattr__(self, "_identity", self.dtype == "float32" and plain)

    @classmethod
    def floating(cls, channels: int) -> Codes:
        """Plain float32 values."""
        return cls("float32", np.zeros(channels), np.ones(channels))

    @property
    def channels(self) -> int:
        """Number of channels ``n``."""
        return len(self.center)

    @property
    def is_integer(self) -> bool:
        """Whether the tensor holds integers."""
        return self.dtype != "float32"

    def encode(self, raw: FloatArray) -> CodeArray:
        """Codes ``(n,)`` of ``dtype`` for real values ``(n,)``, none NaN; beyond the range they saturate."""
        codes = np.empty(self.channels, dtype=self.dtype)
        self.encode_into(raw, codes, np.empty(self.channels))
        return codes

    def encode_into(self, raw: FloatArray, codes: CodeArray, scratch: npt.NDArray[np.float64]) -> None:
        """`encode` into ``codes`` ``(n,)``, with ``scratch`` ``(n,)`` to work in: nothing is allocated."""
        values: FloatArray = raw
        if not self._identity:
            values = np.subtract(raw, self.center, out=scratch)
            np.divide(scratch, self.span, out=scratch)
            if self.is_integer:
                np.divide(scratch, self.scale, out=scratch)
                np.rint(scratch, out=scratch)
                np.add(scratch, self.zero_point, out=scratch)
        low, high = self._range
        np.maximum(values, low, out=scratch)
        np.minimum(scratch, high, out=scratch)
        codes[...] = scratch

    def decode(self, codes: CodeArray) -> npt.NDArray[np.float64]:
        """Real values ``(n,)``, float64, of codes ``(n,)``."""
        values = codes.astype(np.float64)
        if self._identity:
            return values
        if self.is_integer:
            values -= self.zero_point
            values *= self.scale
        values *= self.span
        values += self.center
        return values

    def to_json(self) -> dict[str, Any]:
        """A JSON document from which `from_json` makes equal codes."""
        return {
            "dtype": self.dtype,
            "center": self.center.tolist(),
            "span": self.span.tolist(),
            "scale": self.scale,
            "zero_point": self.zero_point,
        }

    @classmethod
    def from_json(cls, document: Any) -> Codes:
        """The codes that `to_json` wrote.

        Raises:
            InputError: a field is missing, superfluous, of the wrong type or out of range.
        """
        fields = _fields("codes", document, _FIELDS)
        dtype, zero_point = fields["dtype"], fields["zero_point"]
        if not isinstance(dtype, str):
            raise InputError(f"codes: dtype must be text, not {type(dtype).__name__}")
        if not isinstance(zero_point, int) or isinstance(zero_point, bool):
            raise InputError(f"codes: zero_point must be a whole number, not {type(zero_point).__name__}")
        return cls(
            dtype,  # type: ignore[arg-type]  # checked against the choices by the class
            _vector("center", fields["center"]),
            _vector("span", fields["span"]),
            _number("scale", fields["scale"]),
            zero_point,
        )


@dataclass(frozen=True, eq=False)
class Interface:
    """The codes of a graph's inputs and outputs; ``state_in`` and ``state_out`` share theirs.

    Attributes:
        observation: of the raw sensor values, ``I`` channels.
        dt: of the elapsed time in seconds, 1 channel.
        state: of the state, ``state_size`` channels.
        action: of the actions in the actuators' units, ``M`` channels.
        reset_state: real values of the state after a reset, ``(state_size,)``.
    """

    observation: Codes
    dt: Codes
    state: Codes
    action: Codes
    reset_state: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "reset_state", np.array(self.reset_state, dtype=np.float64))
        if self.dt.channels != 1:
            raise InputError(f"interface: dt has {self.dt.channels} channels, expected 1")
        if self.reset_state.shape != (self.state.channels,) or not np.isfinite(self.reset_state).all():
            raise InputError(
                f"interface: reset_state must be {self.state.channels} finite numbers, "
                f"not of shape {self.reset_state.shape}"
            )

    @classmethod
    def floating(cls, controller: Controller) -> Interface:
        """The interface of a float32 graph of ``controller``."""
        return cls(
            Codes.floating(len(controller.observations)),
            Codes.floating(1),
            Codes.floating(controller.state_size),
            Codes.floating(len(controller.actions)),
            controller.reset_state,
        )

    def check_fits(self, controller: Controller) -> None:
        """Refuse an interface of another controller.

        Raises:
            InputError: a tensor has another number of channels than the controller asks for.
        """
        expected = (len(controller.observations), 1, controller.state_size, len(controller.actions))
        for name, channels in zip(_TENSORS, expected, strict=True):
            found = getattr(self, name).channels
            if found != channels:
                raise InputError(f"interface: {name} has {found} channels, the controller {channels}")

    def to_json(self) -> dict[str, Any]:
        """A JSON document from which `from_json` makes an equal interface."""
        document = {name: getattr(self, name).to_json() for name in _TENSORS}
        return document | {"reset_state": self.reset_state.tolist()}

    @classmethod
    def from_json(cls, document: Any) -> Interface:
        """The interface that `to_json` wrote.

        Raises:
            InputError: a field is missing, superfluous, of the wrong type or out of range.
        """
        fields = _fields("interface", document, (*_TENSORS, "reset_state"))
        return cls(
            reset_state=_vector("reset_state", fields["reset_state"]),
            **{name: Codes.from_json(fields[name]) for name in _TENSORS},
        )


def _fields(what: str, document: Any, expected: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise InputError(f"{what}: must be an object, not {type(document).__name__}")
    odd = document.keys() ^ set(expected)
    if odd:
        raise InputError(f"{what}: missing or unknown fields: {', '.join(sorted(map(str, odd)))}")
    return document


def _number(name: str, value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise InputError(f"{name}: must be a number, not {type(value).__name__}")
    try:
        return float(value)
    except OverflowError:
        raise InputError(f"{name}: a number is too large") from None


def _vector(name: str, values: Any) -> npt.NDArray[np.float64]:
    if not isinstance(values, list) or len(values) > MAX_CHANNELS:
        raise InputError(f"{name}: must be a list of at most {MAX_CHANNELS} numbers")
    return np.array([_number(name, value) for value in values], dtype=np.float64)
