"""The wiring as SVG: columns from sensors to actuators where signals go that way, a matrix elsewhere.

A circuit in which everything hears everything is a knot when drawn with lines, so it becomes a matrix: rows
speak, columns listen. Polarity shows in colour and in shape: inhibition is a dashed line, or a hollow mark.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ltc_edge.report.circuit import LAYERS, Circuit, Synapse
from ltc_edge.report.svg import Element, add, drawing, to_text

MOST_SYNAPSES, MOST_NEURONS = 6000, 160
"""More cannot be told apart on a page."""

WIDTH = 640.0
_LETTER = 7.4  # width of a label's letter, generous for any system font
_LONGEST = 18  # letters of a label; the whole name is in its title
_POLARITY = {1: "excites", -1: "inhibits", 0: "feeds"}


@dataclass(frozen=True)
class Point:
    """Where a neuron is drawn."""

    x: float
    y: float


def wiring_svg(circuit: Circuit) -> str | None:
    """The drawing of ``circuit`` as one SVG element; None where there is nothing to draw, or too much."""
    if not circuit.synapses or len(circuit.synapses) > MOST_SYNAPSES or len(circuit.neurons) > MOST_NEURONS:
        return None
    root = _columns(circuit) if circuit.is_layered else _matrix(circuit)
    return to_text(root)


def _label(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _described(circuit: Circuit, synapse: Synapse) -> str:
    source, target = circuit.neurons[synapse.source].name, circuit.neurons[synapse.target].name
    return f"{source} {_POLARITY[synapse.polarity]} {target}: {synapse.detail}"


def _shares(circuit: Circuit) -> dict[Synapse, float]:
    """How strong each synapse is, of the strongest of its kind: a readout's weights are no conductances."""
    strongest: dict[bool, float] = {}
    kind = {synapse: circuit.neurons[synapse.target].layer == "action" for synapse in circuit.synapses}
    for synapse, is_readout in kind.items():
        strongest[is_readout] = max(strongest.get(is_readout, 0.0), synapse.strength)
    return {synapse: synapse.strength / (strongest[kind[synapse]] or 1.0) for synapse in circuit.synapses}


# Columns


def _columns(circuit: Circuit) -> Element:
    columns = _ordered_columns(circuit)
    longest = [max(len(_label(circuit.neurons[n].name)) for n in columns[side]) for side in (0, -1)]
    left, right = (_LETTER * letters + 22.0 for letters in longest)
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
        anchor = "start" if index == 0 else "end" if index == len(columns) - 1 else "middle"
        x = {"start": 0.0, "end": WIDTH}.get(anchor, left + gap * index)
        layer = circuit.neurons[column[0]].layer
        add(root, "text", f"{layer} · {len(column)}", class_="heading", x=x, y=16, text_anchor=anchor)
    shares = _shares(circuit)
    # The strongest come last, and so lie on top.
    for synapse in sorted(circuit.synapses, key=lambda synapse: shares[synapse]):
        _line(root, circuit, synapse, places, shares[synapse])
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
        title=_described(circuit, synapse),
        class_=f"synapse {_POLARITY[synapse.polarity]}",
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
        add(
            root,
            "text",
            _label(own.name),
            title=own.name,
            class_="name",
            x=x,
            y=place.y + 4,
            text_anchor=anchor,
        )


# Matrix


def _matrix(circuit: Circuit) -> Element:
    by_layer = {
        layer: [n for n, neuron in enumerate(circuit.neurons) if neuron.layer == layer] for layer in LAYERS
    }
    rows = [n for layer in LAYERS[:-1] for n in by_layer[layer]]
    columns = [n for layer in LAYERS[1:] for n in by_layer[layer]]
    margin, above = (
        _LETTER * max(len(_label(circuit.neurons[n].name)) for n in side) + 14.0 for side in (rows, columns)
    )
    pitch = min(26.0, (WIDTH - margin - 24.0) / len(columns))
    x = {n: margin + pitch * (place + 0.5) for place, n in enumerate(columns)}
    top = max(above, 26.0) if pitch >= 12 else 26.0
    y = {n: top + pitch * (place + 0.5) for place, n in enumerate(rows)}
    width = max(margin + pitch * len(columns) + 8.0, 320.0)
    root = drawing(
        width, top + pitch * len(rows) + 8.0, f"Wiring as a matrix, {circuit.summary}", "wiring matrix"
    )
    root.set("width", f"{width:.0f}")
    add(root, "text", "speaks ↓  listens →", class_="heading", x=0, y=14)
    _grid(root, circuit, (rows, columns), (x, y), pitch, (margin, top))
    shares = _shares(circuit)
    for synapse in circuit.synapses:
        place = Point(x[synapse.target], y[synapse.source])
        _mark(root, circuit, synapse, place, 0.46 * pitch * math.sqrt(max(shares[synapse], 0.01)))
    return root


def _grid(
    root: Element,
    circuit: Circuit,
    neurons: tuple[list[int], list[int]],
    places: tuple[Mapping[int, float], Mapping[int, float]],
    pitch: float,
    corner: tuple[float, float],
) -> None:
    """Names at both sides where they fit, and a line wherever a layer ends."""
    (rows, columns), (x, y), (margin, top) = neurons, places, corner
    right, bottom = margin + pitch * len(columns), top + pitch * len(rows)
    for place, n in enumerate(rows):
        own = circuit.neurons[n]
        edge = y[n] - pitch / 2
        ends = place > 0 and circuit.neurons[rows[place - 1]].layer != own.layer
        add(root, "path", class_="edge" if ends else "grid", d=f"M{margin:.1f} {edge:.1f}H{right:.1f}")
        if pitch >= 12:
            add(
                root,
                "text",
                _label(own.name),
                title=own.name,
                class_="name",
                x=margin - 7,
                y=y[n] + 4,
                text_anchor="end",
            )
    for place, n in enumerate(columns):
        own = circuit.neurons[n]
        edge = x[n] - pitch / 2
        ends = place > 0 and circuit.neurons[columns[place - 1]].layer != own.layer
        add(root, "path", class_="edge" if ends else "grid", d=f"M{edge:.1f} {top:.1f}V{bottom:.1f}")
        if pitch >= 12:
            turned = f"translate({x[n] + 4:.1f} {top - 7:.1f}) rotate(-90)"
            add(root, "text", _label(own.name), title=own.name, class_="name", transform=turned)
    add(root, "path", class_="grid", d=f"M{margin:.1f} {bottom:.1f}H{right:.1f}V{top:.1f}")


def _mark(root: Element, circuit: Circuit, synapse: Synapse, place: Point, radius: float) -> None:
    """A disc excites, a hollow square inhibits; the area is the strength."""
    title, kind = _described(circuit, synapse), f"mark {_POLARITY[synapse.polarity]}"
    if synapse.polarity < 0:
        side = 2 * max(radius * 0.86 - 0.8, 0.4)
        corner = Point(place.x - side / 2, place.y - side / 2)
        add(root, "rect", title=title, class_=kind, x=corner.x, y=corner.y, width=side, height=side)
    else:
        add(root, "circle", title=title, class_=kind, cx=place.x, cy=place.y, r=radius)
