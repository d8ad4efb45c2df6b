"""What both drawings of a wiring share: names, what a pointer is told, and how strong a synapse is."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from ltc_edge.report.circuit import Circuit, Synapse
from ltc_edge.report.svg import Element, add

WIDTH = 640.0
LETTER = 7.4
"""Width of a label's letter, generous for any system font."""
LONGEST = 16
"""Letters of a label; the whole name is in its title."""
POLARITY: Mapping[int, str] = {1: "excites", -1: "inhibits", 0: "feeds"}


@dataclass(frozen=True)
class Point:
    """Where something is drawn."""

    x: float
    y: float


def label(name: str) -> str:
    """A name that fits."""
    if _letters(name) <= LONGEST:
        return name
    while _letters(name) > LONGEST - 1:
        name = name[:-1]
    return f"{name}…"


def _letters(name: str) -> int:
    """The width of a name in letters; those of Chinese, Japanese and Korean are as wide as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)


def longest(circuit: Circuit, neurons: list[int]) -> int:
    """Letters of the longest label of ``neurons``."""
    return max(_letters(label(circuit.neurons[neuron].name)) for neuron in neurons)


def add_name(root: Element, name: str, **attributes: str | float) -> None:
    """A neuron's name; ``attributes`` say where."""
    add(root, "text", label(name), title=name, class_="name", **attributes)


def described(circuit: Circuit, synapse: Synapse) -> str:
    """A synapse in words."""
    source, target = circuit.neurons[synapse.source].name, circuit.neurons[synapse.target].name
    return f"{source} {POLARITY[synapse.polarity]} {target}: {synapse.detail}"


def shares(circuit: Circuit) -> dict[Synapse, float]:
    """How strong each synapse is, of the strongest of its kind: a readout's weights are no conductances."""
    strongest: dict[bool, float] = {}
    kind = {synapse: circuit.neurons[synapse.target].layer == "action" for synapse in circuit.synapses}
    for synapse, is_readout in kind.items():
        strongest[is_readout] = max(strongest.get(is_readout, 0.0), synapse.strength)
    return {synapse: synapse.strength / (strongest[kind[synapse]] or 1.0) for synapse in circuit.synapses}
