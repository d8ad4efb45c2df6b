"""From recordings and a network to what the tests of memory look at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ltc_edge.arrays import FloatArray, IntArray
from ltc_edge.evaluation.memory.dependency import History
from ltc_edge.evaluation.memory.gradient import InputSequences
from ltc_edge.logs import Dataset, Segment
from ltc_edge.network import Network

MOST_MOMENTS = 1500
"""Spread over the recordings: the test of a dependency takes about a second with them."""

MOST_COLUMNS = 3000
"""Lags times inputs of a history; more inputs are looked at less far back."""

WINDOWS_BACK = 4
"""How far back a history goes: to find what windows are too short for."""


def history_of(data: Dataset, network: Network, segments: Sequence[Segment]) -> History | None:
    """Moments of ``segments``, the answers of ``network``, and inputs up to then, further than a window.

    The network answers as in training: from the reset, at the last row of a window, or at the last whose
    target counts where not all do. Windows do not overlap. None where no segment is long enough.
    """
    length = data.window_length
    lags = min(WINDOWS_BACK * length, MOST_COLUMNS // len(data.input_names))
    lags = max(length, min(lags, max(segment.rows for segment in segments) // 2))
    moments = [(segment, row) for segment in segments for row in _moments(segment, length) if row >= lags - 1]
    if not moments:
        return None
    every = -(-len(moments) // MOST_MOMENTS)
    moments = moments[::every]
    inputs = np.stack([segment.inputs[row - lags + 1 : row + 1][::-1] for segment, row in moments])
    answer, target = _answers(data, network, moments)
    return History(target - answer, target, data.input_normalizer.apply(inputs))


def _moments(segment: Segment, length: int) -> IntArray:
    """Rows of a segment at which the network is asked."""
    if segment.scored is None:
        return np.arange(length - 1, segment.rows, length)
    whole = segment.rows // length * length
    counted = segment.scored[:whole].reshape(-1, length)
    # Of several that count in a window, the last has seen most of it.
    last = length - 1 - counted[:, ::-1].argmax(axis=1)
    result: IntArray = (np.arange(len(counted)) * length + last)[counted.any(axis=1)]
    return result


@torch.no_grad()
def _answers(
    data: Dataset, network: Network, moments: Sequence[tuple[Segment, int]]
) -> tuple[FloatArray, FloatArray]:
    """Answer and target at each moment, ``(N, M)``: normalised values, or probabilities of classes."""
    length = data.window_length
    starts = [row // length * length if seg.scored is not None else row - length + 1 for seg, row in moments]
    windows = [
        (seg.inputs[start : start + length], seg.dt_s[start : start + length])
        for (seg, _), start in zip(moments, starts, strict=True)
    ]
    inputs, dt_s = (torch.from_numpy(np.stack(part)).to(network.dtype) for part in zip(*windows, strict=True))
    readout, _ = network(inputs, dt_s)
    at = torch.tensor([row - start for (_, row), start in zip(moments, starts, strict=True)])
    chosen = readout[torch.arange(len(moments)), at].double()
    target = np.stack([np.asarray(seg.targets[row]) for seg, row in moments])
    if data.kind == "classification":
        return torch.softmax(chosen, dim=1).numpy(), np.eye(len(data.classes))[target]
    normal = network.scaled(torch.from_numpy(target)).double()
    return chosen.numpy(), normal.numpy()


def sequences_of(segments: Sequence[Segment], steps: int, most: int) -> InputSequences:
    """At most ``most`` pieces of ``steps`` rows, spread over ``segments``, each from the reset.

    Segments shorter than that give none; where all are, there is no sequence.
    """
    starts = [(segment, first) for segment in segments for first in range(0, segment.rows - steps + 1, steps)]
    chosen = starts[:: max(1, -(-len(starts) // most))]
    width = segments[0].inputs.shape[1]
    observation = [segment.inputs[first : first + steps] for segment, first in chosen]
    dt_s = [segment.dt_s[first : first + steps] for segment, first in chosen]
    return InputSequences(np.reshape(observation, (-1, steps, width)), np.reshape(dt_s, (-1, steps)))
