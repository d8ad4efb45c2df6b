"""The wiring as files of their own: SVG with its colours in it, and PNG painted from that same drawing."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ltc_edge.errors import require
from ltc_edge.files import write_atomically
from ltc_edge.report.circuit import Circuit
from ltc_edge.report.wiring_drawing import wiring_svg

NAMESPACE = "http://www.w3.org/2000/svg"
FONT_PX, NUMBER_PX = 12.0, 8.0
LINE_PX = 18.0
"""Height of each line below the drawing that says how to read it."""
LEGENDS: Mapping[bool, tuple[str, ...]] = {
    True: ("Filled excites, hollow inhibits; area is strength.", "Rows speak, columns listen."),
    False: ("Solid excites, dashed inhibits; width is strength.",),
}
"""Of a matrix, and of columns; narrow enough for the narrowest drawing."""
DOTS_PER_PX = 2.0

_TEXT, _SOFT, _PAGE, _SUNK = "#16202b", "#53606e", "#ffffff", "#f4f6f8"
_EXCITE, _INHIBIT, _FEED = "#0b5cb8", "#b3480a", "#5a6775"
STYLES: Mapping[str, Mapping[str, str]] = {
    "synapse": {"fill": "none", "stroke": _FEED},
    "synapse excites": {"stroke": _EXCITE},
    "synapse inhibits": {"stroke": _INHIBIT, "stroke-dasharray": "6 3.5"},
    "neuron": {"fill": _PAGE, "stroke": _TEXT, "stroke-width": "1.5"},
    "neuron sensory": {"fill": _SUNK},
    "neuron action": {"fill": _SUNK},
    "neuron motor": {"fill": _TEXT},
    "mark": {"fill": _FEED},
    "mark excites": {"fill": _EXCITE},
    "mark inhibits": {"fill": "none", "stroke": _INHIBIT, "stroke-width": "1.8"},
    "grid": {"fill": "none", "stroke": "#e8ecf0"},
    "edge": {"fill": "none", "stroke": _SOFT},
    "heading": {"fill": _SOFT},
    "name": {"fill": _TEXT},
}
"""What the report's style sheet says on paper, by an element's first class and by its first and second."""


def draw_wiring(circuit: Circuit, folder: Path) -> list[Path]:
    """Write ``wiring.svg`` and ``wiring.png``; nothing where there is nothing to draw, or too much.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: a file cannot be written.
    """
    text = wiring_svg(circuit)
    if text is None:
        return []
    root = ElementTree.fromstring(text)
    _colour(root)
    _number_neurons(root)
    _frame(root)
    paths = [folder / "wiring.svg", folder / "wiring.png"]
    ElementTree.register_namespace("", NAMESPACE)
    write_atomically(paths[0], ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
    write_atomically(paths[1], _png(root))
    return paths


def _colour(root: ElementTree.Element) -> None:
    root.attrib.pop("style", None)
    root.set("font-family", "system-ui, sans-serif")
    root.set("font-size", f"{FONT_PX:g}")
    for element in root.iter():
        words = element.get("class", "").split()
        for kind in (words[0], " ".join(words[:2])) if words else ():
            for name, value in STYLES.get(kind, {}).items():
                element.set(name, value)


def _frame(root: ElementTree.Element) -> None:
    """A white page, and lines below the drawing that say how to read it."""
    _, _, width, height = map(float, root.get("viewBox", "").split())
    lines = LEGENDS["matrix" in root.get("class", "").split()]
    tall = height + LINE_PX * (len(lines) + 0.5)
    root.set("viewBox", f"0 0 {width:g} {tall:g}")
    page = {"x": "0", "y": "0", "width": f"{width:g}", "height": f"{tall:g}", "fill": _PAGE}
    root.insert(0, ElementTree.Element(f"{{{NAMESPACE}}}rect", page))
    for row, line in enumerate(lines):
        where = {"x": "8", "y": f"{height + LINE_PX * (row + 1):g}", "fill": _SOFT}
        ElementTree.SubElement(root, f"{{{NAMESPACE}}}text", where).text = line


def _number_neurons(root: ElementTree.Element) -> None:
    """The number that ends a neuron's name, in its circle: words and tables call it so."""
    for circle in [element for element in root if "neuron" in element.get("class", "").split()]:
        number = re.search(r"[0-9]+$", circle.findtext(f"{{{NAMESPACE}}}title", ""))
        if number is not None:
            place = {"x": circle.get("cx", "0"), "y": f"{_number(circle, 'cy') + NUMBER_PX / 3:g}"}
            look = {"font-size": f"{NUMBER_PX:g}", "text-anchor": "middle", "fill": _SOFT}
            if "motor" in circle.get("class", "").split():
                look["fill"] = _PAGE
            ElementTree.SubElement(root, f"{{{NAMESPACE}}}text", place | look).text = number[0]


def _png(root: ElementTree.Element) -> bytes:
    """The drawing in pixels. Only what these drawings use is known."""
    figure_module = require("matplotlib.figure", "train")
    _, _, width, height = map(float, root.get("viewBox", "").split())
    figure = figure_module.Figure(figsize=(width / 100.0, height / 100.0), dpi=100.0 * DOTS_PER_PX)
    axis = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axis.set(xlim=(0.0, width), ylim=(height, 0.0))
    axis.axis("off")
    for order, element in enumerate(root):
        painter = _PAINTERS.get(element.tag.removeprefix(f"{{{NAMESPACE}}}"))
        if painter is not None:
            painter(axis, element, order)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _number(element: ElementTree.Element, name: str, absent: float = 0.0) -> float:
    return float(element.get(name, absent))


def _paint(element: ElementTree.Element, order: int) -> dict[str, Any]:
    """Colours and line of a shape, as matplotlib has them; a pixel is 0.72 points here."""
    stroke = 0.72 * _number(element, "stroke-width", 1.0)
    look: dict[str, Any] = {
        "facecolor": element.get("fill", "black"),
        "edgecolor": element.get("stroke", "none"),
        "linewidth": stroke,
        "alpha": _number(element, "stroke-opacity", 1.0),
        "zorder": order,
    }
    dashes = element.get("stroke-dasharray")
    if dashes is not None:
        look["linestyle"] = (0.0, [0.72 * float(length) / stroke for length in dashes.split()])
    return look


def _circle(axis: Any, element: ElementTree.Element, order: int) -> None:
    patches = require("matplotlib.patches", "train")
    at = _number(element, "cx"), _number(element, "cy")
    axis.add_patch(patches.Circle(at, _number(element, "r"), **_paint(element, order)))


def _rect(axis: Any, element: ElementTree.Element, order: int) -> None:
    patches = require("matplotlib.patches", "train")
    at, size = ((_number(element, a), _number(element, b)) for a, b in (("x", "y"), ("width", "height")))
    axis.add_patch(patches.Rectangle(at, *size, **_paint(element, order)))


def _path(axis: Any, element: ElementTree.Element, order: int) -> None:
    """Moves, lines along the axes, and cubic curves, all absolute."""
    patches, paths = require("matplotlib.patches", "train"), require("matplotlib.path", "train")
    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for letter, rest in re.findall(r"([MCHV])([^MCHV]*)", element.get("d", "")):
        numbers = [float(part) for part in rest.split()]
        if letter == "H":
            numbers = [numbers[0], points[-1][1]]
        elif letter == "V":
            numbers = [points[-1][0], numbers[0]]
        points += zip(numbers[::2], numbers[1::2], strict=True)
        code = {"M": paths.Path.MOVETO, "C": paths.Path.CURVE4}.get(letter, paths.Path.LINETO)
        codes += [code] * (len(numbers) // 2)
    axis.add_patch(patches.PathPatch(paths.Path(points, codes), **_paint(element, order)))


def _text(axis: Any, element: ElementTree.Element, order: int) -> None:
    x, y, turned = _number(element, "x"), _number(element, "y"), 0.0
    placed = re.fullmatch(r"translate\((\S+) (\S+)\) rotate\((\S+)\)", element.get("transform", ""))
    if placed is not None:
        x, y, turned = (float(part) for part in placed.groups())
    anchor = {"start": "left", "middle": "center", "end": "right"}[element.get("text-anchor", "start")]
    axis.text(
        x,
        y,
        # Names are users' own: a dollar sign in one is no formula.
        (element.text or "").replace("$", r"\$"),
        color=element.get("fill", _TEXT),
        fontsize=0.72 * _number(element, "font-size", FONT_PX),
        rotation=-turned,
        rotation_mode="anchor",
        horizontalalignment=anchor,
        verticalalignment="baseline",
        zorder=order,
    )


_PAINTERS = {"circle": _circle, "rect": _rect, "path": _path, "text": _text}
