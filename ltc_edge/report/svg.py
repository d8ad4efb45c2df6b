"""Inline SVG: elements whose colours are the page's, so that one drawing serves light, dark and print."""

from __future__ import annotations

from xml.etree import ElementTree

Element = ElementTree.Element


def drawing(width: float, height: float, label: str, kind: str) -> Element:
    """The root: it scales to the width it is given, and ``label`` is what a screen reader says.

    ``kind`` is its class in the style sheet.
    """
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {_text(width)} {_text(height)}",
        "role": "img",
        "aria-label": label,
        "class": kind,
    }
    return Element("svg", attributes)


def add(
    parent: Element, tag: str, text: str | None = None, *, title: str | None = None, **attributes: str | float
) -> Element:
    """An element within ``parent``; ``class_`` is its class, other names are written with hyphens.

    Args:
        parent: where it goes.
        tag: such as ``path``.
        text: its content.
        title: what is shown when a pointer rests on it.
        attributes: numbers to a tenth.
    """
    named = {name.rstrip("_").replace("_", "-"): _text(value) for name, value in attributes.items()}
    element = ElementTree.SubElement(parent, tag, named)
    element.text = text
    if title is not None:
        ElementTree.SubElement(element, "title").text = title
    return element


def to_text(root: Element) -> str:
    """The drawing as text; names in it are escaped."""
    return ElementTree.tostring(root, encoding="unicode")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
