"""A wiring in which everything hears everything, as a matrix: rows speak, columns listen."""

from __future__ import annotations

import math
from collections.abc import Callable

from ltc_edge.report.circuit import LAYERS, Circuit, Synapse
from ltc_edge.report.svg import Element, add, drawing
from ltc_edge.report.wiring_parts import LETTER, POLARITY, WIDTH, Point, add_name, described, longest, shares

_PITCH = 26.0
_NAMED = 12.0
"""Least pitch at which rows can have names; below it their layers have."""


def matrix_drawing(circuit: Circuit) -> Element:
    """The drawing of any circuit."""
    members = {
        layer: [n for n, neuron in enumerate(circuit.neurons) if neuron.layer == layer] for layer in LAYERS
    }
    rows = [n for layer in LAYERS[:-1] for n in members[layer]]
    columns = [n for layer in LAYERS[1:] for n in members[layer]]
    margin, top = (LETTER * longest(circuit, side) + 14.0 for side in (rows, columns))
    pitch = min(_PITCH, (WIDTH - margin - 24.0) / len(columns))
    if pitch < _NAMED:
        margin = top = LETTER * len("sensory") + 14.0
    right, bottom = margin + pitch * len(columns), top + pitch * len(rows)
    width = max(right + 8.0, 320.0)
    root = drawing(width, bottom + 8.0, f"Wiring as a matrix, {circuit.summary}", "wiring matrix")
    root.set("width", f"{width:.0f}")
    # It shrinks a little for a narrow page; below that it is scrolled.
    root.set("style", f"min-width:{0.8 * width:.0f}px")

    def add_row(name: str, y: float) -> None:
        add_name(root, name, x=margin - 7, y=y + 4, text_anchor="end")

    def add_column(name: str, x: float) -> None:
        add_name(root, name, transform=f"translate({x + 4:.1f} {top - 7:.1f}) rotate(-90)")

    _side(root, circuit, rows, pitch, top, lambda y: f"M{margin:.1f} {y:.1f}H{right:.1f}", add_row)
    _side(root, circuit, columns, pitch, margin, lambda x: f"M{x:.1f} {top:.1f}V{bottom:.1f}", add_column)
    strengths = shares(circuit)
    row, column = ({n: place for place, n in enumerate(side)} for side in (rows, columns))
    for synapse in circuit.synapses:
        x, y = margin + pitch * (column[synapse.target] + 0.5), top + pitch * (row[synapse.source] + 0.5)
        _mark(root, circuit, synapse, Point(x, y), 0.46 * pitch * math.sqrt(max(strengths[synapse], 0.01)))
    return root


def _side(
    root: Element,
    circuit: Circuit,
    neurons: list[int],
    pitch: float,
    start: float,
    line: Callable[[float], str],
    add_label: Callable[[str, float], None],
) -> None:
    """The lines of one side, a darker one wherever a layer ends, and what stands beside them."""
    layers = [circuit.neurons[n].layer for n in neurons]
    for place in range(len(neurons) + 1):
        ends = 0 < place < len(neurons) and layers[place] != layers[place - 1]
        add(root, "path", class_="edge" if ends else "grid", d=line(start + pitch * place))
    if pitch >= _NAMED:
        for place, n in enumerate(neurons):
            add_label(circuit.neurons[n].name, start + pitch * (place + 0.5))
        return
    for layer in dict.fromkeys(layers):
        first, size = layers.index(layer), layers.count(layer)
        add_label(layer, start + pitch * (first + size / 2))


def _mark(root: Element, circuit: Circuit, synapse: Synapse, place: Point, radius: float) -> None:
    """A disc excites, a hollow square inhibits; the area is the strength."""
    title, kind = described(circuit, synapse), f"mark {POLARITY[synapse.polarity]}"
    if synapse.polarity < 0:
        side = 2 * max(radius * 0.86 - 0.8, 0.4)
        add(
            root,
            "rect",
            title=title,
            class_=kind,
            x=place.x - side / 2,
            y=place.y - side / 2,
            width=side,
            height=side,
        )
    else:
        add(root, "circle", title=title, class_=kind, cx=place.x, cy=place.y, r=radius)
