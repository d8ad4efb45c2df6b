import re
from xml.etree import ElementTree

import pytest

from ltc_edge.report.circuit import LAYERS, Circuit, Neuron, Synapse
from ltc_edge.report.histogram_drawing import histogram_svg
from ltc_edge.report.profile import Histogram
from ltc_edge.report.profile_file import read_profile
from ltc_edge.report.wiring_drawing import wiring_svg

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<b>&\"'</b>"


def layered(width=3, name=HOSTILE):
    """Two sensors, then layers of ``width`` neurons, each heard by the next."""
    sizes = (2, width, width, 1)
    neurons = [Neuron(f"{name} {row}", LAYERS[i]) for i, size in enumerate(sizes) for row in range(size)]
    starts = [sum(sizes[:i]) for i in range(4)]
    pairs = [
        (starts[i] + s, starts[i + 1] + t)
        for i in range(3)
        for s in range(sizes[i])
        for t in range(sizes[i + 1])
    ]
    pairs += [(starts[2], starts[2]), (starts[2], starts[2] + 1)]
    synapses = tuple(Synapse(s, t, (-1) ** (s + t), 0.1 + s + t, "strength") for s, t in pairs)
    return Circuit(tuple(neurons), synapses, "a summary", "a note")


def recurrent(size):
    """A sensor, and neurons that all hear everything."""
    neurons = [Neuron("sensor", "sensory"), *(Neuron(f"n{row}", "inter") for row in range(size))]
    neurons.append(Neuron("drive", "motor"))
    pairs = [(s, t) for s in range(size + 2) for t in range(1, size + 2)]
    synapses = tuple(Synapse(s, t, (-1) ** s, 1.0 + t, "weight") for s, t in pairs)
    return Circuit(tuple(neurons), synapses, "a summary", "a note")


def classes(root, name):
    return [element for element in root.iter() if name in element.get("class", "").split()]


def test_columns_have_a_line_for_each_synapse_and_tell_polarities_apart():
    circuit = layered()
    root = ElementTree.fromstring(wiring_svg(circuit))
    lines = classes(root, "synapse")
    assert len(lines) == len(circuit.synapses)
    assert len(classes(root, "inhibits")) == sum(synapse.polarity < 0 for synapse in circuit.synapses)
    assert len(classes(root, "neuron")) == len(circuit.neurons)
    strengths = {synapse.strength for synapse in circuit.synapses}
    assert len({line.get("stroke-width") for line in lines}) == len(strengths)


def test_names_are_escaped_and_whole_in_the_title():
    text = wiring_svg(layered(name=HOSTILE * 3))
    assert "<b>" not in text
    named = classes(ElementTree.fromstring(text), "name")
    assert all(element.text.endswith("…") for element in named)
    assert named[0].find(f"{SVG}title").text == f"{HOSTILE * 3} 0"


def test_what_hears_everything_is_a_matrix():
    circuit = recurrent(4)
    root = ElementTree.fromstring(wiring_svg(circuit))
    marks = classes(root, "mark")
    assert len(marks) == len(circuit.synapses)
    assert {mark.tag for mark in classes(root, "excites")} == {f"{SVG}circle"}
    assert {mark.tag for mark in classes(root, "inhibits")} == {f"{SVG}rect"}


def test_a_large_matrix_names_its_layers_in_the_place_of_its_neurons():
    names = [e.text for e in classes(ElementTree.fromstring(wiring_svg(recurrent(60))), "name")]
    assert names == ["sensory", "inter", "motor", "inter", "motor"]


@pytest.mark.parametrize("circuit", [layered(), layered(12), recurrent(4), recurrent(60)])
def test_everything_is_inside(circuit):
    root = ElementTree.fromstring(wiring_svg(circuit))
    _, _, width, height = (float(value) for value in root.get("viewBox").split())
    for element in root.iter():
        for name, limit in (("x", width), ("cx", width), ("y", height), ("cy", height)):
            assert 0 <= float(element.get(name, 0)) <= limit
        if element.get("class", "").startswith("synapse"):
            numbers = [float(value) for value in re.findall(r"-?[\d.]+", element.get("d"))]
            assert all(0 <= x <= width for x in numbers[::2])
            assert all(0 <= y <= height for y in numbers[1::2])


def test_nothing_is_drawn_where_there_is_nothing_or_too_much():
    assert wiring_svg(Circuit((), (), "gates", "none")) is None
    assert wiring_svg(recurrent(100)) is None


def test_a_row_for_each_format_that_has_a_histogram(profile_file):
    profile = read_profile(profile_file())
    root = ElementTree.fromstring(histogram_svg(profile.formats, profile.target))
    measured = [figures for figures in profile.formats if figures.histogram]
    assert [e.text for e in classes(root, "row")] == [figures.name for figures in measured]
    assert len(classes(root, "counts")) == len(measured)
    assert [len(classes(root, name)) for name in ("p50", "p99", "p999")] == [len(measured)] * 3


def bars(root):
    """Left end, width and height of each bar of the only row."""
    (path,) = classes(root, "counts")
    found = []
    for part in path.get("d").strip("Z").split("Z"):
        x, base = (float(value) for value in re.match(r"M([\d.]+) ([\d.]+)", part).groups())
        for top, right in re.findall(r"V([\d.]+)H([\d.]+)", part):
            found.append((x, float(right) - x, base - float(top)))
            x = float(right)
    return found


def test_both_axes_are_logarithmic_and_a_single_step_is_seen(profile_file):
    (figures, *_) = read_profile(profile_file()).formats
    counts = (10_000, 0, 100, 0, 1)
    figures = type(figures)(**vars(figures) | {"histogram": Histogram((1, 10, 100, 1e3, 1e4, 1e5), counts)})
    (x0, w0, many), (x1, w1, some), (x2, w2, one) = bars(
        ElementTree.fromstring(histogram_svg([figures], "t"))
    )
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.3)
    assert w0 == pytest.approx(w1, abs=0.3) == pytest.approx(w2, abs=0.3)
    assert many - some == pytest.approx(some - one, abs=0.3)
    assert one > 3


@pytest.mark.parametrize("edges", [(5.0, 5.0), (1e-3, 1e9)])
def test_one_bin_however_narrow_or_wide(profile_file, edges):
    (figures, *_) = read_profile(profile_file()).formats
    figures = type(figures)(**vars(figures) | {"histogram": Histogram(edges, (7,))})
    ((_, width, height),) = bars(ElementTree.fromstring(histogram_svg([figures], "t")))
    assert width >= 1
    assert height > 10


def test_a_histogram_of_nothing_is_none(profile_file):
    (figures, *_) = read_profile(profile_file()).formats
    empty = type(figures)(**vars(figures) | {"histogram": Histogram((1.0, 2.0), (0,))})
    absent = type(figures)(**vars(figures) | {"histogram": None})
    assert histogram_svg([empty, absent], "t") is None
