"""A profile, as a table and sentences."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from ltc_edge.cli.output import console, one_line

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]

WIDEST = 1000
"""Of a table, in letters."""


def _number(*path: str, pattern: str = "{:,.4g}", scale: float = 1.0) -> Callable[[Row], str]:
    def text(row: Row) -> str:
        found: Any = row
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return "" if found is None else pattern.format(found if scale == 1.0 else found * scale)

    return text


def _significant(name: str, digits: int) -> Callable[[Row], str]:
    """A figure with so many digits, or all of those before the point, where ``g`` would write 1.2e+03."""

    def text(row: Row) -> str:
        value = row.get(name)
        if value is None:
            return ""
        return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"

    return text


def _microseconds(name: str) -> Callable[[Row], str]:
    value = _number("latency_us", name, pattern="{}")

    def text(row: Row) -> str:
        found = value(row)
        if not found:
            return ""
        us = float(found)
        return f"{us:,.2f}" if us < 100 else f"{us:,.0f}"

    return text


_SIZE: Column = ("bytes", _number("bytes", pattern="{:,}"))


def _lost(row: Row) -> str:
    """Share of the return in percent; a millionth of it is nothing."""
    lost = row.get("return_lost_percent")
    return "" if lost is None else f"{lost:.2g}" if abs(lost) >= 1e-4 else "0"


_RIGHT: tuple[Column, ...] = (
    ("error,\n% of σ", _number("rms_over_sigma", pattern="{:.1g}", scale=100)),
    ("return", _number("return_mean", pattern="{:.6g}")),
    ("lost,\n%", _lost),
)
_TIMES: tuple[Column, ...] = (
    ("p50,\nµs", _microseconds("p50")),
    ("p99,\nµs", _microseconds("p99")),
    ("p99.9,\nµs", _microseconds("p999")),
    ("max,\nµs", _microseconds("max")),
)
_PROCESS: tuple[Column, ...] = (
    ("steps a second", _number("steps_per_second", pattern="{:,.0f}")),
    ("cold start, ms", _significant("cold_start_ms", 3)),
    ("loading, ms", _significant("load_ms", 2)),
    ("first step, µs", _significant("first_step_us", 3)),
    ("RSS, MiB", _number("rss_bytes", pattern="{:,.1f}", scale=1 / (1 << 20))),
    ("CPU, %", _number("cpu_percent", pattern="{:.0f}")),
)
_FIRMWARE: tuple[Column, ...] = (
    ("instructions\na step", _number("instructions_per_step", pattern="{:,.0f}")),
    ("cycles,\nestimated", _number("cycles_estimate", pattern="{:,.0f}")),
    ("flash", _number("flash_bytes", pattern="{:,}")),
    ("RAM", _number("ram_bytes", pattern="{:,}")),
    ("stack", _number("stack_bytes", pattern="{:,}")),
)
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "linux": (_SIZE, *_RIGHT, *_TIMES),
    "serial": (_SIZE, *_RIGHT, *_TIMES),
    "emulated": (*_RIGHT, *_FIRMWARE),
}


def print_profile(document: Mapping[str, Any], output: Path | None) -> None:
    """The table of formats, paced runs, and what follows from them."""
    _print_device(document)
    _print_controller(document)
    rows = _fastest_first(document["formats"])
    title = f"{document['subject']['name']} on {document['target']}"
    _print_rows(title, rows, COLUMNS[document["kind"]])
    _print_reasons(rows)
    if document["kind"] == "linux":
        _print_rows("Processes", rows, _PROCESS)
    _print_paced(rows)
    _print_stages(rows)
    for problem in document["problems"]:
        click.echo(f"Not valid: {one_line(problem)}")
    for note in document["device"].get("notes") or ():
        click.echo(f"Note: {one_line(str(note))}")
    if document["partial"]:
        click.echo("Partial: it ended before everything was measured.")
    _print_comparison(document["baseline"])
    _print_recommendation(document)
    if output is not None:
        path = document["subject"]["path"]
        click.echo(f"Written: {one_line(str(output))}")
        if document["subject"]["kind"] == "bundle":
            profile = shlex.quote(str(output / "profile.json"))
            click.echo(
                one_line(f"Next: ltc-edge report {shlex.quote(path)} --profile {profile} -o report.html")
            )


def _print_device(document: Mapping[str, Any]) -> None:
    device = document["device"]
    known = [device.get(key) for key in ("model", "soc", "board")]
    parts = [one_line(str(value)) for value in dict.fromkeys(known) if value]
    if device.get("cores"):
        parts.append(f"{one_line(str(device['cores']))} cores")
    if device.get("kernel_release"):
        parts.append(f"Linux {one_line(str(device['kernel_release']))}")
    if device.get("preemption"):
        parts.append(one_line(str(device["preemption"])))
    if parts:
        click.echo(f"{document['target']}: {', '.join(parts)}")


def _print_controller(document: Mapping[str, Any]) -> None:
    controller = document["controller"]
    if controller is None:
        return
    synapses = "" if controller["synapses"] is None else f", {controller['synapses']:,} synapses"
    counts = controller["operations"].values()
    products = sum(stage["multiply_accumulates"] for stage in counts)
    sigmoids = sum(stage["sigmoids"] for stage in counts)
    parameters = f"{document['parameters_effective']:,} parameters ({document['parameters_dense']:,} dense)"
    click.echo(
        f"{controller['cell']} of {controller['units']} units, {parameters}{synapses}; "
        f"a step: {products:,} multiply-accumulates, {sigmoids:,} sigmoids"
    )


def _print_recommendation(document: Mapping[str, Any]) -> None:
    ran = [name for name, row in document["formats"].items() if row["status"] == "ok"]
    found = document["recommendation"]
    if found is not None:
        # Of one format there is nothing to choose.
        click.echo(f"{'Ship ' if len(ran) > 1 else ''}{found['format']}: {found['reason']}.")
    elif ran and document["subject"]["kind"] == "bundle":
        why = "it is partial" if document["partial"] else "it is not valid" if document["problems"] else None
        click.echo(f"Nothing is recommended: {why or 'no format keeps its budgets'}.")


def _fastest_first(rows: Mapping[str, Row]) -> dict[str, Row]:
    def cost(name: str) -> float:
        row = rows[name]
        found = row.get("instructions_per_step") or (row.get("latency_us") or {}).get("p50")
        return float("inf") if found is None else float(found)

    return {name: rows[name] for name in sorted(rows, key=cost)}


def _print_rows(title: str, rows: Mapping[str, Row], columns: tuple[Column, ...]) -> None:
    """A table of the formats that ran; a column of which nothing is known is left out."""
    ran = {name: row for name, row in rows.items() if row["status"] == "ok"}
    shown = [(heading, text) for heading, text in columns if any(text(row) for row in ran.values())]
    if not shown:
        return
    table = new_table(title, ("format",), tuple(heading for heading, _ in shown))
    for name, row in ran.items():
        table.add_row(one_line(name), *(text(row) for _, text in shown))
    print_table(table)


def new_table(title: str, names: tuple[str, ...], figures: tuple[str, ...]) -> Any:
    """A table of rich's, with columns of names on the left and of figures on the right."""
    from rich import box
    from rich.table import Table

    table = Table(
        title=one_line(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for heading in names:
        table.add_column(heading, no_wrap=True)
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def print_table(table: Any) -> None:
    """As wide as it is: a figure that is cut off is none."""
    from rich.measure import Measurement

    out = console()
    needed = Measurement.get(out, out.options.update(max_width=WIDEST), table).maximum
    out.width = max(out.width, needed)
    out.print(table)


def _print_reasons(rows: Mapping[str, Row]) -> None:
    """Why formats did not run; the same sentence about several of them is said once."""
    reasons: dict[str, list[str]] = {}
    for name, row in rows.items():
        if row["status"] != "ok":
            text = f"{row['status']} ({row['reason']}): {row['detail']}".replace(f"{name} ", "it ", 1)
            reasons.setdefault(text, []).append(name)
        elif row.get("detail"):
            reasons.setdefault(str(row["detail"]), []).append(name)
    for text, names in reasons.items():
        click.echo(one_line(f"{', '.join(names)}: {text}"))


def _print_paced(rows: Mapping[str, Row]) -> None:
    runs = [(name, run) for name, row in rows.items() for run in row.get("paced") or ()]
    if not runs:
        return
    title = f"Steps at {runs[0][1]['rate_hz']:g} Hz"
    figures = ("missed", "in a row", "late p99, µs", "late max", "step p99, µs", "step max")
    table = new_table(title, ("format", "load", "scheduling"), figures)
    refused: dict[str, None] = {}
    for name, run in runs:
        cpu = "" if run["cpu"] is None else f" on {run['cpu']}"
        head = (one_line(name), run["load"], f"{run['scheduling']}{cpu}")
        if run["status"] != "ok":
            refused[f"{run['scheduling']}{cpu}: refused: {run['detail']}"] = None
            continue
        late_and_took = [run["wakeup_us"]["p99"], run["wakeup_us"]["max"]]
        late_and_took += [run["execution_us"]["p99"], run["execution_us"]["max"]]
        cells = ["" if value is None else f"{value:,.1f}" for value in late_and_took]
        missed = f"{run['misses']} of {run['periods']}"
        table.add_row(*head, missed, str(run["longest_run_of_misses"]), *cells)
    if table.row_count:
        print_table(table)
    for line in refused:
        click.echo(one_line(line))


def _print_stages(rows: Mapping[str, Row]) -> None:
    for name, row in rows.items():
        if row["status"] == "ok" and row.get("stages"):
            of = "instructions" if row.get("instructions_per_step") else "time"
            parts = ", ".join(f"{stage} {100 * share:.0f} %" for stage, share in row["stages"].items())
            click.echo(one_line(f"{name}, share of the {of}: {parts}"))


def _print_comparison(baseline: Mapping[str, Any] | None) -> None:
    if baseline is None:
        return
    for name, entry in baseline["formats"].items():
        low, high = (100 * (value - 1) for value in entry["ci99"])
        more = "; more --rounds may" if entry["verdict"] == "cannot be told" else ""
        click.echo(
            f"{name} against {baseline['file']}: {100 * (entry['ratio'] - 1):+.1f} % "
            f"({low:+.1f} to {high:+.1f} %), {entry['verdict']}{more}"
        )
