"""float32 values on a chosen side of a real one: a limit must not grow by being rounded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ltc_edge.arrays import FloatArray


def at_least(values: FloatArray) -> npt.NDArray[np.float64]:
    """The least float32 not below each value, as float64; infinities stay."""
    rounded = nearest(values)
    above: npt.NDArray[np.float64] = np.where(
        rounded < values, np.nextafter(rounded.astype(np.float32), np.float32(np.inf)), rounded
    ).astype(np.float64)
    return above


def at_most(values: FloatArray) -> npt.NDArray[np.float64]:
    """The greatest float32 not above each value, as float64; infinities stay."""
    return -at_least(-values)


def nearest(values: FloatArray) -> npt.NDArray[np.float64]:
    """The nearest float32, as float64; infinite where a value is beyond its range."""
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(np.float32).astype(np.float64)
