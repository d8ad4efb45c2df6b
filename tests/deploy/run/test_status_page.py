"""The status page: what it shows, to whom, and that Prometheus could read it."""

import http.client
import json
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest

from ltc_edge.deploy.run.page import BUCKETS, Snapshot, Times
from ltc_edge.deploy.run.prometheus import metrics
from ltc_edge.deploy.run.status_page import StatusPage, parse_status_address
from ltc_edge.errors import InputError

SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)'
)
OBSERVATIONS, ACTIONS = ['a "quoted" \\ name\n', "<b>level</b>"], ["drive"]


def times(*nanoseconds):
    """A histogram, by the C program's rule for buckets."""
    bucket = np.zeros(BUCKETS, dtype=np.uint64)
    for time in nanoseconds:
        shift = max(time.bit_length() - 6, 0)
        bucket[shift * 32 + (time >> shift)] += 1
    return Times(len(nanoseconds), max(nanoseconds, default=0), sum(nanoseconds), bucket)


@pytest.fixture
def snapshot():
    bits = [0] * 32
    bits[8], bits[1] = 3, 2
    return Snapshot(
        where="udp://127.0.0.1:9",
        running=True,
        end=None,
        counts=dict.fromkeys(("periods", "steps", "missed", "longest_run", "left_out", "log_dropped"), 7),
        modes={"disarmed": 1, "shadow": 0, "active": 5, "fallback": 1, "latched": 0},
        with_bit=tuple(bits),
        io=dict.fromkeys(("taken", "malformed", "old", "foreign", "not_sent"), 2),
        mode="active",
        status=0x100,
        action=np.float32([0.5]),
        proposal=np.float32([0.5]),
        observation=np.float32([math.nan, 1.0]),
        age_s=np.float32([math.inf, 0.0]),
        latency=times(900, 1100, 5_000, 3_000_000),
        execution=times(),
        added=times(),
    )


@pytest.fixture
def page(snapshot):
    served = StatusPage(("127.0.0.1", 0), lambda: snapshot, "a <script>", OBSERVATIONS, ACTIONS)
    yield served
    served.close()


def get(page, path, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return SimpleNamespace(status=answer.status, headers=answer.headers, text=answer.read().decode())
    finally:
        connection.close()


def parse(text):
    """Samples by name, and kinds, of the text format; its rules are asserted."""
    assert text.endswith("\n")
    kinds, helped, samples, families = {}, set(), {}, []
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helped
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name in helped
            assert name not in kinds
            assert kind in ("counter", "gauge", "histogram")
            assert name.endswith("_total") == (kind == "counter")
            kinds[name] = kind
        else:
            found = SAMPLE.fullmatch(line)
            assert found, line
            name, labels, value = found[1], found[2] or "", float(found[3].replace("Inf", "inf"))
            family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in kinds else name
            assert family in kinds
            # All lines of a family stand together.
            assert family not in families[:-1]
            families += [family] if families[-1:] != [family] else []
            assert (name, labels) not in samples
            samples[name, labels] = value
    assert helped == set(kinds)
    return samples, kinds


def test_the_metrics_keep_to_the_text_format(snapshot):
    samples, kinds = parse(metrics(snapshot, OBSERVATIONS, ACTIONS))
    assert samples["ltc_edge_periods_total", ""] == 7
    assert samples["ltc_edge_mode", 'mode="active"'] == 1
    assert samples["ltc_edge_status_steps_total", 'bit="stale-input"'] == 3
    assert samples["ltc_edge_status_steps_total", 'bit="dt-clamped"'] == 2
    assert samples["ltc_edge_status_steps_total", 'bit="memory-fault"'] == 0
    assert math.isnan(samples["ltc_edge_observation", 'signal="a \\"quoted\\" \\\\ name\\n"'])
    assert [name for name, kind in kinds.items() if kind == "histogram"] == [
        "ltc_edge_wake_up_latency_seconds",
        "ltc_edge_execution_seconds",
    ]


def test_buckets_are_cumulative_and_end_with_all(snapshot):
    samples, _ = parse(metrics(snapshot, OBSERVATIONS, ACTIONS))
    name = "ltc_edge_wake_up_latency_seconds"
    bounds = {
        float(re.search(r'le="([^"]*)"', labels)[1].replace("Inf", "inf")): value
        for (found, labels), value in samples.items()
        if found == f"{name}_bucket"
    }
    assert list(bounds) == sorted(bounds)
    assert list(bounds.values()) == sorted(bounds.values())
    assert bounds[1024e-9] == 1
    assert bounds[2048e-9] == 2
    assert bounds[math.inf] == samples[f"{name}_count", ""] == 4
    assert samples[f"{name}_sum", ""] == pytest.approx(3_007_000e-9)


def test_pages(page):
    shown = get(page, "/")
    assert shown.status == 200
    assert "&lt;script&gt;" in shown.text
    assert "<script>" not in shown.text
    assert "<b>" not in shown.text
    assert 'http-equiv="refresh"' in shown.text
    assert shown.headers["Content-Security-Policy"].startswith("default-src 'none'")
    document = json.loads(get(page, "/status.json").text)
    assert document["mode"] == "active"
    assert document["status"] == ["stale-input"]
    assert document["observation"][OBSERVATIONS[0]] is None
    assert document["execution_us"] is None
    scraped = get(page, "/metrics")
    assert scraped.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    parse(scraped.text)
    assert get(page, "/../secret").status == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("localhost:1", 200),
        ("[::1]:80", 200),
        ("evil.example:8080", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:80", 403),
        ("", 403),
    ],
)
def test_a_name_that_others_can_make_lead_here_gets_nothing(page, host, status):
    assert get(page, "/status.json", Host=host).status == status


def test_nothing_can_be_changed(page):
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=30)
    connection.request("POST", "/", body="arm")
    assert connection.getresponse().status == 501
    connection.close()


def test_addresses():
    assert parse_status_address("8080") == ("127.0.0.1", 8080)
    assert parse_status_address("0.0.0.0:1") == ("0.0.0.0", 1)
    assert parse_status_address("[::1]:0") == ("::1", 0)
    for wrong in ("", "x", "127.0.0.1", "1:70000", "host:-1"):
        with pytest.raises(InputError, match="no \\[HOST:\\]PORT"):
            parse_status_address(wrong)


def test_an_address_that_is_in_use_is_refused(page, snapshot):
    with pytest.raises(InputError, match="cannot listen"):
        StatusPage(("127.0.0.1", page.port), lambda: snapshot, "x", OBSERVATIONS, ACTIONS)
