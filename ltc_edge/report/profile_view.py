"""One profile as the report shows it: tables, histograms, and what speaks against the figures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ltc_edge.export.c.stages import STAGES
from ltc_edge.report.histogram_drawing import histogram_svg
from ltc_edge.report.profile import Distribution, FormatFigures, PacedRun, Profile
from ltc_edge.report.tables import Cell, Column, Table, columns_of, table
from ltc_edge.report.wording import MISSING, count_text, listed, significant

Row = Sequence[Cell | str]

FORMAT = Column("Format", numeric=False)
_BUDGETS = {
    "max-p99-us": "p99, µs",
    "max-p999-us": "p99.9, µs",
    "max-deadline-misses": "deadline misses",
    "max-flash-bytes": "flash, bytes",
    "max-ram-bytes": "RAM, bytes",
    "max-stack-bytes": "stack, bytes",
    "max-instructions": "instructions a step",
    "max-error": "worst error",
}


@dataclass(frozen=True)
class ProfileView:
    """What is shown of one profile, in this order."""

    profile: Profile
    tables: tuple[Table, ...]
    histogram: str | None
    after: tuple[Table, ...]
    missing: tuple[tuple[str, str, str], ...]

    @property
    def standing(self) -> str:
        """``valid``, ``partial`` or ``invalid``."""
        if not self.profile.valid:
            return "invalid"
        return "partial" if self.profile.partial else "valid"


def profile_view(profile: Profile) -> ProfileView:
    """What is shown of ``profile``."""
    measured = [figures for figures in profile.formats if figures.status in ("ok", "failed")]
    first: list[Table | None]
    if profile.kind == "emulated":  # whatever an emulator says of time is no figure of the device
        first, svg = [_emulated(profile, measured)], None
        after = [_stages(measured, "instructions"), _budgets(profile), _baseline(profile)]
    else:
        first = [_latencies(profile, measured), _steps(measured)]
        svg = histogram_svg(measured, profile.target)
        after = [_paced(measured), _stages(measured, "time"), _budgets(profile), _baseline(profile)]
    return ProfileView(
        profile,
        tuple(found for found in first if found is not None),
        svg,
        tuple(found for found in after if found is not None),
        tuple(
            (
                f.name,
                f"{f.status} ({f.reason})" if f.reason else f.status,
                f.detail or "no reason was recorded",
            )
            for f in profile.formats
            if f.status != "ok"
        ),
    )


def _name(figures: FormatFigures, profile: Profile) -> Cell:
    if figures.name == profile.recommended:
        return Cell(f"★ {figures.name}", "good")
    return Cell(figures.name)


def _quantiles(found: Sequence[Distribution]) -> list[list[str]]:
    columns = [[getattr(each, name) for each in found] for name in ("p50", "p90", "p99", "p999", "max")]
    return columns_of(*columns, digits=3, most=2)


def _latencies(profile: Profile, measured: Sequence[FormatFigures]) -> Table | None:
    quantiles = _quantiles([figures.latency for figures in measured])
    (deviation,) = columns_of([figures.latency.std for figures in measured], digits=2, most=2)
    rows: list[Row] = [
        (
            _name(f, profile),
            *(column[i] for column in quantiles),
            deviation[i],
            count_text(f.latency.samples),
            count_text(_misses(f)),
        )
        for i, f in enumerate(measured)
    ]
    headings = ("p50", "p90", "p99", "p99.9", "max", "std")
    columns = [FORMAT, *(Column(heading, "µs") for heading in headings), Column("Steps"), Column("Misses")]
    notes = ["Single steps, the cost of reading the clock subtracted."]
    if any(f.paced for f in measured):
        notes[0] += " Misses are of the worst paced run."
    return table("Latency of one step", columns, rows, notes)


def _misses(figures: FormatFigures) -> int | None:
    counts = [run.misses for run in figures.paced if run.misses is not None]
    return max(counts, default=None)


def _steps(measured: Sequence[FormatFigures]) -> Table | None:
    (step,) = columns_of([f.step_us for f in measured], digits=3, most=3)
    (cold,) = columns_of([f.cold_start_ms for f in measured], digits=3, most=1)
    (load,) = columns_of([f.load_ms for f in measured], digits=3, most=2)
    (first,) = columns_of([f.first_step_us for f in measured], digits=3, most=1)
    (cpu,) = columns_of([f.cpu_percent for f in measured], digits=2, most=1)
    (resident,) = columns_of(
        [None if f.rss_bytes is None else f.rss_bytes / (1 << 20) for f in measured], digits=2, most=1
    )
    error = significant([f.max_abs_error for f in measured])
    rows = [
        (
            f.name,
            step[i],
            count_text(None if f.steps_per_second is None else round(f.steps_per_second)),
            cold[i],
            load[i],
            first[i],
            resident[i],
            cpu[i],
            count_text(f.interruptions),
            error[i],
        )
        for i, f in enumerate(measured)
    ]
    columns = (
        FORMAT,
        Column("Step", "µs"),
        Column("Steps", "a second"),
        Column("Cold start", "ms"),
        Column("Load", "ms"),
        Column("First step", "µs"),
        Column("Memory", "MiB"),
        Column("CPU", "%"),
        Column("Interrupted", "times"),
        Column("Worst error", "actuator units"),
    )
    notes = ["Steps a second are of batches in which no clock is read.", *_runtimes(measured)]
    return table("Throughput, start and memory", columns, rows, notes)


def _runtimes(measured: Sequence[FormatFigures]) -> list[str]:
    """What ran the formats, a sentence each."""
    by_runtime: dict[str, list[str]] = {}
    for figures in measured:
        if figures.runtime is not None:
            by_runtime.setdefault(figures.runtime, []).append(figures.name)
    return [f"{listed(names)}: {runtime}." for runtime, names in by_runtime.items()]


def _paced(measured: Sequence[FormatFigures]) -> Table | None:
    runs = [(figures.name, run) for figures in measured for run in figures.paced]
    wakeup = columns_of(*_of_runs(runs, lambda run: run.wakeup), digits=3, most=1)
    execution = columns_of(*_of_runs(runs, lambda run: run.execution), digits=3, most=1)
    rates = [run.rate_hz for _, run in runs]
    same = len(set(rates)) == 1 and rates[0] is not None
    rows: list[Row] = [
        (
            name,
            _load(run),
            MISSING if same or run.rate_hz is None else f"{run.rate_hz:,.6g}",
            *(column[i] for column in wakeup),
            *(column[i] for column in execution),
            count_text(run.periods),
            Cell(count_text(run.misses), "bad" if run.misses else ""),
            count_text(run.longest_run_of_misses),
        )
        for i, (name, run) in enumerate(runs)
    ]
    columns = [FORMAT, Column("Load, scheduling", numeric=False), Column("Rate", "Hz")]
    columns += [Column(name, "µs", group="Wake-up") for name in ("p50", "p99", "max")]
    columns += [Column(name, "µs", group="Execution") for name in ("p50", "p99", "max")]
    columns += [Column("Periods"), Column("Misses"), Column("Longest run", "of misses")]
    refused = [
        f"{name}, {_load(run)}: refused, {run.detail or 'no reason'}." for name, run in runs if run.refused
    ]
    note = "A period is missed when its action was not there before the next one began."
    caption = f"Paced runs: steps at {rates[0]:,.6g} Hz" if same else "Paced runs: steps at a given rate"
    return table(caption, columns, rows, [note, *refused])


def _of_runs(
    runs: Sequence[tuple[str, PacedRun]], part: Callable[[PacedRun], Distribution]
) -> list[list[float | None]]:
    return [[getattr(part(run), name) for _, run in runs] for name in ("p50", "p99", "max")]


def _load(run: PacedRun) -> str:
    cpu = None if run.cpu is None else f"CPU {run.cpu}"
    return ", ".join(part for part in (run.load, run.scheduling, cpu) if part) or "as asked"


def _stages(measured: Sequence[FormatFigures], what: str) -> Table | None:
    with_stages = [figures for figures in measured if figures.stages]
    rows: list[Row] = []
    for figures in with_stages:
        parts = tuple((stage, figures.stages[stage]) for stage in STAGES if stage in figures.stages)
        shares = (figures.stages.get(stage) for stage in STAGES)
        texts = [MISSING if share is None else f"{100 * share:.1f}" for share in shares]
        rows.append((figures.name, *texts, Cell("", parts=parts)))
    columns = [
        FORMAT,
        *(Column(stage.capitalize(), "%") for stage in STAGES),
        Column("Share", numeric=False),
    ]
    return table(f"Where the {what} of a step {'goes' if what == 'time' else 'go'}", columns, rows)


def _emulated(profile: Profile, measured: Sequence[FormatFigures]) -> Table | None:
    rows: list[Row] = []
    for f in measured:
        e = f.emulated
        counts = (e.instructions, e.instructions_least, e.instructions_most, e.loads, e.stores)
        moved = (e.bytes_read, e.bytes_written, e.cycles_estimate)
        rows.append((_name(f, profile), *map(count_text, (*counts, *moved))))
    columns = [FORMAT, Column("Instructions", "a step"), Column("Least"), Column("Most"), Column("Loads")]
    columns += [Column("Stores"), Column("Read", "bytes"), Column("Written", "bytes")]
    columns += [Column("Cycles", "estimate")]
    models = sorted({f.emulated.cycle_model for f in measured if f.emulated.cycle_model})
    notes = ["Counted in an emulator: no measure of time."]
    notes += [f"Cycles are an estimate of the model “{model}”, not measured." for model in models]
    return table("Instructions and memory traffic of one step", columns, rows, notes)


def _budgets(profile: Profile) -> Table | None:
    rows: list[Row] = []
    limits = significant([budget.limit for budget in profile.budgets])
    values = significant([budget.value for budget in profile.budgets])
    overs = significant([None if budget.kept else budget.over for budget in profile.budgets])
    for i, budget in enumerate(profile.budgets):
        unknown = budget.kept is None or budget.value is None
        said = "not measured" if unknown else "kept" if budget.kept else "broken"
        result = Cell(said, "bad" if unknown else "good" if budget.kept else "bad")
        what = _BUDGETS.get(budget.budget.removeprefix("--"), budget.budget)
        rows.append((what, budget.format or MISSING, limits[i], values[i], overs[i], result))
    columns = [Column("Budget", numeric=False), FORMAT, Column("Limit"), Column("Value"), Column("Over by")]
    return table("Budgets", [*columns, Column("Result", numeric=False)], rows)


def _baseline(profile: Profile) -> Table | None:
    ratios = columns_of(
        [c.ratio for c in profile.baseline],
        [c.low for c in profile.baseline],
        [c.high for c in profile.baseline],
        digits=4,
        most=3,
    )
    rows: list[Row] = []
    for i, comparison in enumerate(profile.baseline):
        worse = comparison.regression
        said = MISSING if worse is None else "regression" if worse else "no regression"
        interval = MISSING if comparison.low is None else f"{ratios[1][i]} to {ratios[2][i]}"
        result = Cell(said, "" if worse is None else "bad" if worse else "good")
        rows.append((comparison.format, comparison.of or MISSING, ratios[0][i], interval, result))
    columns = [
        FORMAT,
        Column("Of", numeric=False),
        Column("Ratio", "now / then"),
        Column("99 % interval"),
        Column("Result", numeric=False),
    ]
    notes = [f"Compared with {profile.baseline_file}."] if profile.baseline_file else []
    return table("Against the baseline", columns, rows, notes)
