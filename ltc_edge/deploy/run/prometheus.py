"""What a loop is doing as metrics of Prometheus, in its text format, version 0.0.4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ltc_edge.deploy.run.page import MODES, Snapshot, Times
from ltc_edge.supervision.codes import STATUS, status_names

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS = tuple(1 << power for power in range(10, 31))
"""Of buckets, in nanoseconds: about 1 µs to 1 s, each twice the one before."""

Sample = tuple[str, float]
"""Labels in braces, or nothing; and the value."""


def metrics(snapshot: Snapshot, observations: Sequence[str], actions: Sequence[str]) -> str:
    """The metrics; names of signals are labels."""
    counts, io = snapshot.counts, snapshot.io
    families = [
        _family("periods_total", "Periods that the loop ran.", counts["periods"]),
        _family("steps_total", "Steps of the controller behind its supervisor.", counts["steps"]),
        _family("missed_deadlines_total", "Periods whose action came too late.", counts["missed"]),
        _family("periods_left_out_total", "Periods that were over too soon.", counts["left_out"]),
        _family("log_dropped_total", "Steps that the log had no room for.", counts["log_dropped"]),
        _family("actions_not_sent_total", "Actions that could not go out.", io["not_sent"]),
        _labelled(
            "messages_total",
            "Messages that came, by what became of them.",
            [(_labels(outcome=name), io[name]) for name in ("taken", "malformed", "old", "foreign")],
        ),
        _labelled(
            "mode_steps_total",
            "Steps in each mode.",
            [(_labels(mode=mode), count) for mode, count in snapshot.modes.items()],
        ),
        _labelled("status_steps_total", "Steps whose status had this bit.", list(_bits(snapshot.with_bit))),
        _labelled(
            "mode",
            "1 for the mode that the supervisor is in.",
            [(_labels(mode=mode), float(mode == snapshot.mode)) for mode in MODES],
        ),
        _family("up", "1 while the loop runs.", float(snapshot.end is None)),
        _labelled("action", "The last action.", _named(actions, snapshot.action)),
        _labelled("observation", "The last reading.", _named(observations, snapshot.observation)),
        _labelled("observation_age_seconds", "Its age.", _named(observations, snapshot.age_s)),
        _histogram("wake_up_latency_seconds", "From the deadline to waking up.", snapshot.latency),
        _histogram("execution_seconds", "From waking up to the action being out.", snapshot.execution),
    ]
    return "".join(line + "\n" for family in families for line in family)


def _family(name: str, help_text: str, value: float) -> list[str]:
    return _labelled(name, help_text, [("", value)])


def _labelled(name: str, help_text: str, samples: Sequence[Sample]) -> list[str]:
    kind = "counter" if name.endswith("_total") else "gauge"
    return [
        *_head(name, help_text, kind),
        *(f"ltc_edge_{name}{labels} {_number(v)}" for labels, v in samples),
    ]


def _head(name: str, help_text: str, kind: str) -> list[str]:
    return [f"# HELP ltc_edge_{name} {help_text}", f"# TYPE ltc_edge_{name} {kind}"]


def _histogram(name: str, help_text: str, times: Times) -> list[str]:
    """Buckets are cumulative; the last holds all, also those that come while this is read."""
    total = int(times.bucket.sum())
    lines = _head(name, help_text, "histogram")
    for bound in _BOUNDS:
        lines.append(f'ltc_edge_{name}_bucket{{le="{_number(bound * 1e-9)}"}} {times.below(bound)}')
    lines.append(f'ltc_edge_{name}_bucket{{le="+Inf"}} {total}')
    return [*lines, f"ltc_edge_{name}_sum {_number(times.total * 1e-9)}", f"ltc_edge_{name}_count {total}"]


def _bits(with_bit: Sequence[int]) -> Iterable[Sample]:
    """A sample for each bit that has a name; of the supervisor's, those that never were too."""
    for index, count in enumerate(with_bit):
        known = status_names(1 << index)
        if known and (count or known[0] in STATUS):
            yield _labels(bit=known[0]), count


def _named(names: Sequence[str], values: Iterable[float]) -> list[Sample]:
    return [(_labels(signal=name), float(v)) for name, v in zip(names, values, strict=True)]


def _labels(**labels: str) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return re.sub(r'[\\"\n]', lambda found: {"\\": "\\\\", '"': '\\"', "\n": "\\n"}[found[0]], value)


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(int(value)) if float(value).is_integer() and abs(value) < 1 << 53 else repr(float(value))
