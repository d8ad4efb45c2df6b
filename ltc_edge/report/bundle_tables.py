"""What a bundle says of itself, as the report shows it: head, verification, sizes, firmware."""

from __future__ import annotations

from collections.abc import Sequence

from ltc_edge.bundle.folder import MANIFEST
from ltc_edge.controller import Controller
from ltc_edge.export.formats import FORMATS
from ltc_edge.profiling.operations import Operations, operations
from ltc_edge.report.bundle_view import BundleView, Verified
from ltc_edge.report.fields import Fields, clean
from ltc_edge.report.profile import Firmware, Profile
from ltc_edge.report.reasons import Reason, shared_reasons
from ltc_edge.report.tables import FORMAT, Cell, Column, Table, Tone, table
from ltc_edge.report.wording import MISSING, aligned, count_text, significant
from ltc_edge.verification.closed_loop import three_decimals

_TONES: dict[str, Tone] = {"ok": "good", "failed": "bad", "refused": "bad"}


def facts(view: BundleView) -> list[tuple[str, str]]:
    """What the controller is, as labelled texts."""
    controller, manifest = view.bundle.controller, view.bundle.files.manifest
    effective, dense = controller.parameters_effective(), controller.parameters_dense()
    timing = controller.timing
    cell = f"{controller.cell.kind}, {controller.cell.units} units"
    # The hub holds times in float32; the manifest has the one that was meant.
    period = Fields(dict(manifest), str(view.bundle.path / MANIFEST)).number("period_s") or timing.period_s
    return [
        ("For", f"{view.source or 'an unnamed task'} ({controller.purpose})"),
        ("Cell", cell),
        ("Parameters", f"{effective:,}" + ("" if effective == dense else f" ({dense:,} without sparsity)")),
        ("Period", f"{1000 * period:.6g} ms ({1 / period:.4g} Hz)"),
        ("Elapsed time allowed", f"{1000 * timing.dt_min_s:.4g} to {1000 * timing.dt_max_s:.4g} ms"),
        ("Signals", f"{len(controller.observations)} in, {len(controller.actions)} out"),
        ("A step", _arithmetic(controller)),
        ("Exported by", f"ltc-edge {clean(str(manifest.get('ltc_edge', 'unknown')))}"),
        ("Manifest sha256", view.sha256[:16]),
    ]


def _arithmetic(controller: Controller) -> str:
    """What a step computes, whatever executes it."""
    total = sum(operations(controller).values(), start=Operations())
    return f"{total.multiply_accumulates:,} multiply-accumulates, {total.sigmoids:,} sigmoids"


def verification_table(view: BundleView) -> Table | None:
    """What the trials showed, by format."""
    rms = significant([None if v.rms_over_sigma is None else 100 * v.rms_over_sigma for v in view.formats])
    worst = significant([v.max_abs_error for v in view.formats])
    values = aligned([v.value for v in view.formats], 5, 4)
    lost = aligned([v.lost_percent for v in view.formats], 1, 3)
    metric = next((v.metric for v in view.formats if v.metric is not None), None)
    rows = [
        (v.name, _status(v), rms[i], worst[i], values[i], lost[i], _interval(v.lost_ci95))
        for i, v in enumerate(view.formats)
    ]
    columns = (
        FORMAT,
        Column("Status", numeric=False),
        Column("RMS error", "% of σ"),
        Column("Worst error", "actuator units"),
        Column("Closed-loop return" if metric is None else clean(metric.replace("_", " "))),
        Column("Lost", "%"),
        Column("95 % interval", "%"),
    )
    return table("Errors against the float64 reference, and what the task loses", columns, rows)


def _status(entry: Verified) -> Cell:
    return Cell(entry.status, _TONES.get(entry.status, "muted"))


def _interval(ci95: tuple[float, ...]) -> str:
    return f"{three_decimals(ci95[0])} to {three_decimals(ci95[1])}" if len(ci95) == 2 else MISSING


def reasons(view: BundleView) -> list[Reason]:
    """Why the formats that are not verified are not."""
    return shared_reasons(
        (v.name, v.status, v.reason, v.detail) for v in view.formats if v.status not in ("ok", "unverified")
    )


def size_table(view: BundleView) -> Table | None:
    """Bytes of each format's files, with bars."""
    sizes = {v.name: v.bytes for v in view.formats if v.bytes is not None}
    most = max(sizes.values(), default=1)
    rows = [
        (
            name,
            count_text(size),
            Cell("", "muted" if _is_source(name) else "", share=size / max(most, 1)),
            FORMATS[name].summary if name in FORMATS else "",
        )
        for name, size in sizes.items()
    ]
    columns = (
        FORMAT,
        Column("Size", "bytes"),
        Column("", numeric=False),
        Column("What", numeric=False),
    )
    note = (
        "Hatched: source text with packaging and tests, which says nothing of what the C takes of a device."
    )
    return table(
        "Size of the files in the bundle", columns, rows, [note] if any(map(_is_source, sizes)) else []
    )


def _is_source(name: str) -> bool:
    return name in FORMATS and FORMATS[name].runtime == "c"


def firmware_table(view: BundleView, profiles: Sequence[Profile]) -> Table | None:
    """Flash, RAM, stack and instructions; a profile's figures take the place of the export's."""
    nothing = Firmware(None, None, None, None)
    found = {(v.name, target): figures for v in view.formats for target, figures in v.firmware}
    for profile in profiles:
        if profile.kind != "linux":
            found |= {(f.name, profile.target): f.firmware for f in profile.formats if f.firmware != nothing}
    rows = [
        (name, target, *map(count_text, (f.flash_bytes, f.ram_bytes, f.stack_bytes, f.instructions)))
        for (name, target), f in found.items()
        if f != nothing
    ]
    columns = (
        FORMAT,
        Column("Processor", numeric=False),
        Column("Flash", "bytes"),
        Column("RAM", "bytes"),
        Column("Stack", "bytes"),
        Column("Instructions", "a step"),
    )
    note = "Instructions were counted in an emulator, and are no measure of time."
    return table("What the C takes of processors", columns, rows, [note])
