"""Pictures of profiles; the figures in them are looked at where matplotlib keeps them."""

import itertools

import numpy as np
import pytest

from ltc_edge import InputError
from ltc_edge.profiling import pictures
from ltc_edge.profiling.pictures import can_draw, draw_histograms
from ltc_edge.profiling.samples import histogram, summarise

agg = pytest.importorskip("matplotlib.backends.backend_agg", reason="matplotlib is not installed")

PNG = b"\x89PNG\r\n\x1a\n"


def timed(median_us, count=3000):
    rng = np.random.default_rng(3)
    samples = median_us * (1.0 + 0.1 * rng.random(count))
    samples[::500] *= 30.0
    return samples


def entry(median_us, **more):
    samples = timed(median_us)
    return {"status": "ok", "latency_us": summarise(samples), "histogram": histogram(samples), **more}


def paced(late_us, **more):
    figures = {"wakeup_us": summarise(late_us), "wakeup_histogram": histogram(late_us)}
    return {"load": "idle", "scheduling": "fifo:50", **figures, **more}


def profile(**formats):
    named = {name.replace("_", "-"): value for name, value in formats.items()}
    return {"target": "ssh://pi@pi5", "subject": {"name": "demo"}, "valid": True, "formats": named}


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draw a profile, and return the figure as it was saved."""
    figures = []

    def draw(document):
        require = pictures.require

        def keep(module, extra):
            found = require(module, extra)
            if module != "matplotlib.figure":
                return found

            class Module:
                @staticmethod
                def Figure(**options):
                    figures.append(found.Figure(**options))
                    return figures[-1]

            return Module

        with monkeypatch.context() as patch:
            patch.setattr(pictures, "require", keep)
            draw_histograms(document, tmp_path / "latency.png")
        assert (tmp_path / "latency.png").read_bytes().startswith(PNG)
        return figures[-1]

    return draw


def texts(figure):
    return [text.get_text() for axis in figure.axes for text in axis.texts]


def boxes(figure):
    """Where every piece of text in the margin right of the panels is, in pixels."""
    canvas = agg.FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    return [text.get_window_extent(renderer) for axis in figure.axes for text in axis.texts]


def test_a_panel_a_format_the_fastest_first(drawn):
    document = profile(onnx=entry(12.0), c_int16=entry(0.9), litert={"status": "not-run"})
    figure = drawn(document)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["c-int16", "onnx"]
    slowest = document["formats"]["onnx"]["latency_us"]["max"]
    for axis in figure.axes:
        assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
        assert axis.get_xlim()[0] < 0.9
        assert axis.get_xlim()[1] > slowest


def test_the_figures_are_marked_and_written(drawn):
    document = profile(c_int16=entry(2.0))
    figures = document["formats"]["c-int16"]["latency_us"]
    (axis,) = drawn(document).axes
    marked = {line.get_xdata()[0] for line in axis.lines if line.get_transform() != axis.transAxes}
    assert {figures["p50"], figures["p99"], figures["p999"], figures["max"]} <= marked
    written = texts(axis.figure)
    assert {"p50", "p99", "p99.9", "max"} <= set(written)
    assert f"{figures['max']:.3g} µs" in written


def test_paced_runs_have_a_panel_of_their_own(drawn):
    late = timed(50.0)
    document = profile(
        c_int16=entry(0.9, paced=[paced(late), paced(late, load="busy"), {"status": "refused"}]),
        onnx=entry(9.0),
    )
    figure = drawn(document)
    labels = [label.get_text() for label in figure.axes[-1].get_yticklabels()]
    assert labels == ["c-int16, idle, fifo 50", "c-int16, busy, fifo 50"]


def test_nothing_written_lies_on_something_else_or_outside(drawn):
    runs = [paced(timed(median), load=load) for median in (5.0, 500.0) for load in ("idle", "busy")]
    figure = drawn(profile(c_int16=entry(0.9, paced=runs), onnx=entry(900.0), c_float32=entry(88.8)))
    found = boxes(figure)
    assert len(found) == 4 * (2 + 3 + 4)
    for one, other in itertools.combinations(found, 2):
        assert not one.overlaps(other), (one, other)
    width, height = figure.canvas.get_width_height()
    assert all(box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height for box in found)


def test_an_invalid_profile_says_so(drawn):
    document = profile(c_int16=entry(0.9)) | {"valid": False, "problems": ["the firmware throttled it"]}
    assert drawn(document).get_supxlabel() == "Not valid: the firmware throttled it"


@pytest.mark.parametrize("samples", [[1.0], [1.0] * 50, [0.0, 0.0], [0.0, 1e9], [1.0, 1.0000001]])
def test_samples_that_hardly_spread(drawn, samples):
    values = np.array(samples)
    drawn(
        profile(c={"latency_us": summarise(values), "histogram": histogram(values), "paced": [paced(values)]})
    )


def test_names_that_no_font_has(drawn):
    document = profile(c_int16=entry(1.0)) | {"target": "ssh://$a_$\x1b[31m名前" + "x" * 300}
    title = drawn(document).get_suptitle()
    assert title.startswith("demo on ssh://$a_$?[31m??xxx")
    assert len(title) <= 90


@pytest.mark.parametrize(
    "damaged",
    [
        {"edges_us": [1.0, 2.0], "counts": [1, 2]},
        {"edges_us": [2.0, 1.0], "counts": [1]},
        {"edges_us": [0.0, 1.0], "counts": [1]},
        {"edges_us": [1.0, float("nan")], "counts": [1]},
        {"edges_us": [1.0, 2.0], "counts": [-1]},
        {"edges_us": "12", "counts": None},
        [],
    ],
)
def test_a_damaged_histogram_is_not_drawn(damaged, tmp_path):
    document = profile(c_int16={"status": "ok", "histogram": damaged})
    assert not can_draw(document)
    with pytest.raises(InputError, match="no latencies to draw"):
        draw_histograms(document, tmp_path / "latency.png")


def test_the_same_profile_gives_the_same_file(tmp_path):
    for name in ("one.png", "two.png"):
        draw_histograms(profile(c_int16=entry(1.0)), tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
