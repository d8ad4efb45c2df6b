"""A layered wiring as columns, from sensors to actuators; each synapse is a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ltc_edge.report.circuit import LAYERS, Circuit, Synapse
from ltc_edge.report.svg import Element, add, drawing
from ltc_edge.report.wiring_parts import POLARITY, WIDTH, Point, add_name, described, longest, shares

_PHONE_LETTER = 10.6
"""Width of a label's letter where the page has little room, and its style sheet makes letters larger."""


def columns_drawing(circuit: Circuit) -> Element:
    """The drawing of a layered circuit."""
    columns = _ordered_columns(circuit)
    letters = (max(longest(circuit, columns[side]), len("sensory")) for side in (0, -1))
    left, right = (_PHONE_LETTER * count + 16.0 for count in letters)
    tallest = max(len(column) for column in columns)
    height = 64.0 + max(tallest * 26.0, 150.0)
    gap = (WIDTH - left - right) / (len(columns) - 1)
    places = {
        neuron: Point(left + gap * index, 46.0 + (height - 62.0) * (row + 0.5) / len(column))
        for index, column in enumerate(columns)
        for row, neuron in enumerate(column)
    }
    root = drawing(WIDTH, height, f"Wiring, {circuit.summary}", "wiring columns")
    for index, column in enumerate(columns):
        anchor = "end" if index == 0 else "start" if index == len(columns) - 1 else "middle"
        x = places[column[0]].x + {"end": 6.0, "start": -6.0, "middle": 0.0}[anchor]
        layer = circuit.neurons[column[0]].layer
        add(root, "text", layer, class_="heading", x=x, y=18, text_anchor=anchor)
    strengths = shares(circuit)
    # The strongest come last, and so lie on top.
    for synapse in sorted(circuit.synapses, key=lambda synapse: strengths[synapse]):
        _line(root, circuit, synapse, places, strengths[synapse])
    for index, column in enumerate(columns):
        for neuron in column:
            _neuron(root, circuit, neuron, places[neuron], (index == 0) - (index == len(columns) - 1))
    return root


def _ordered_columns(circuit: Circuit) -> list[list[int]]:
    """Neurons by layer, each near the middle of those that it hears: fewer lines cross."""
    found: list[list[int]] = []
    for layer in LAYERS:
        members = [place for place, neuron in enumerate(circuit.neurons) if neuron.layer == layer]
        if members and found:
            height = {n: (row + 0.5) / len(found[-1]) for row, n in enumerate(found[-1])}
            members = sorted(members, key=lambda n: (_mean_height(circuit.synapses, n, height), n))
        if members:
            found.append(members)
    return found


def _mean_height(synapses: Sequence[Synapse], neuron: int, height: Mapping[int, float]) -> float:
    heard = [height[s.source] for s in synapses if s.target == neuron and s.source in height]
    return sum(heard) / len(heard) if heard else 0.5


def _line(
    root: Element, circuit: Circuit, synapse: Synapse, places: Mapping[int, Point], share: float
) -> None:
    start, end = places[synapse.source], places[synapse.target]
    if synapse.source == synapse.target:
        first, last = Point(start.x - 3, start.y - 5), Point(start.x + 3, start.y - 5)
        bends = Point(start.x - 18, start.y - 26), Point(start.x + 18, start.y - 26)
    elif start.x == end.x:
        first, last = start, end
        bulge = start.x + 14.0 + 0.28 * abs(end.y - start.y)
        bends = Point(bulge, start.y), Point(bulge, end.y)
    else:
        first, last = start, end
        bend = 0.45 * (end.x - start.x)
        bends = Point(start.x + bend, start.y), Point(end.x - bend, end.y)
    ends = " ".join(f"{point.x:.1f} {point.y:.1f}" for point in (*bends, last))
    add(
        root,
        "path",
        title=described(circuit, synapse),
        class_=f"synapse {POLARITY[synapse.polarity]}",
        d=f"M{first.x:.1f} {first.y:.1f}C{ends}",
        stroke_width=f"{0.8 + 2.4 * share:.2f}",
        stroke_opacity=f"{0.35 + 0.6 * share:.2f}",
    )


def _neuron(root: Element, circuit: Circuit, neuron: int, place: Point, side: int) -> None:
    """A neuron; those of the outer columns have their names beside them (``side`` 1 left, −1 right)."""
    own = circuit.neurons[neuron]
    add(root, "circle", title=own.name, class_=f"neuron {own.layer}", cx=place.x, cy=place.y, r=6)
    if side:
        anchor = "end" if side > 0 else "start"
        x = place.x - side * 13.0
        add_name(root, own.name, x=x, y=place.y + 4, text_anchor=anchor)
