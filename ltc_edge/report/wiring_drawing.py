"""The wiring as SVG: columns from sensors to actuators where signals go that way, a matrix elsewhere.

A circuit in which everything hears everything is a knot when drawn with lines. Polarity shows in colour and
in shape: inhibition is a dashed line, or a hollow mark. The classes are those of ``templates/report.css``.
"""

from __future__ import annotations

from ltc_edge.report.circuit import Circuit
from ltc_edge.report.svg import to_text
from ltc_edge.report.wiring_columns import columns_drawing
from ltc_edge.report.wiring_matrix import matrix_drawing

MOST_SYNAPSES, MOST_NEURONS = 6000, 160
"""More cannot be told apart on a page."""


def wiring_svg(circuit: Circuit) -> str | None:
    """The drawing of ``circuit`` as one SVG element; None where there is nothing to draw, or too much."""
    if not circuit.synapses or len(circuit.synapses) > MOST_SYNAPSES or len(circuit.neurons) > MOST_NEURONS:
        return None
    return to_text(columns_drawing(circuit) if circuit.is_layered else matrix_drawing(circuit))
