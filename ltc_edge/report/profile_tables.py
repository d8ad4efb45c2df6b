"""Figures of a profile as tables: times of a device, or counts of an emulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ltc_edge.export.c.stages import STAGES
from ltc_edge.report.profile import Distribution, FormatFigures, PacedRun, Profile
from ltc_edge.report.tables import FORMAT, Cell, Column, Row, Table, columns_of, table
from ltc_edge.report.wording import MISSING, count_text, listed, significant

_THROUGHPUT = (
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


def _name(figures: FormatFigures, profile: Profile) -> Cell:
    if figures.name == profile.recommended:
        return Cell(f"★ {figures.name}", "good")
    return Cell(figures.name)


def _quantiles(found: Sequence[Distribution]) -> list[list[str]]:
    columns = [[getattr(each, name) for each in found] for name in ("p50", "p90", "p99", "p999", "max")]
    return columns_of(*columns, digits=3, most=2)


def latencies(profile: Profile, measured: Sequence[FormatFigures]) -> Table | None:
    """Quantiles of single steps, and the misses of the worst paced run."""
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
    if any(run.scheduling not in (None, "other") for f in measured for run in f.paced):
        notes[0] += " Misses are of the worst paced run as a real-time process."
    elif any(f.paced for f in measured):
        notes[0] += " Misses are of the worst paced run."
    return table("Latency of one step", columns, rows, notes)


def _misses(figures: FormatFigures) -> int | None:
    """Of the worst run that budgets and the recommendation go by: see `ltc_edge.profiling.budgets.misses`."""
    realtime = [run for run in figures.paced if run.scheduling not in (None, "other")]
    counts = [run.misses for run in realtime or figures.paced if run.misses is not None]
    return max(counts, default=None)


def throughput(measured: Sequence[FormatFigures]) -> Table | None:
    """Steps a second, and what a format takes to start and to run."""
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
    notes = ["Steps a second are of batches in which no clock is read.", *_runtimes(measured)]
    return table("Throughput, start and memory", _THROUGHPUT, rows, notes)


def _runtimes(measured: Sequence[FormatFigures]) -> list[str]:
    """What ran the formats, a sentence each."""
    by_runtime: dict[str, list[str]] = {}
    for figures in measured:
        if figures.runtime is not None:
            by_runtime.setdefault(figures.runtime, []).append(figures.name)
    return [f"{listed(names)}: {runtime}." for runtime, names in by_runtime.items()]


def paced_runs(measured: Sequence[FormatFigures]) -> Table | None:
    """Steps at the rate of a control loop, a row a run."""
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


def stages(measured: Sequence[FormatFigures], what: str) -> Table | None:
    """Shares of the parts of a step; ``what`` they are shares of is time or instructions."""
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


def emulated_counts(profile: Profile, measured: Sequence[FormatFigures]) -> Table | None:
    """What an emulator counted, and what a model makes of it."""
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
    notes += _runtimes(measured)
    return table("Instructions and memory traffic of one step", columns, rows, notes)
