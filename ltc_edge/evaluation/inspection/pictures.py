"""Pictures of an inspection: neurons along an episode, what drives each action, what cuts cost."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from ltc_edge.errors import require
from ltc_edge.evaluation.inspection.dense_circuit import drawable_circuit
from ltc_edge.evaluation.inspection.drives import EARLIER
from ltc_edge.evaluation.inspection.inspection import Inspection
from ltc_edge.evaluation.inspection.parts import Kind, state_columns
from ltc_edge.evaluation.inspection.wiring_picture import draw_wiring
from ltc_edge.files import write_atomically

MOST_BARS, LEAST_BARS = 40, 8
"""Cuts that are drawn: those that cost something, between these; the others cost less, and that is said."""

MOST_STEPS = 400
"""Steps of the episode that are drawn: more cannot be told apart."""

COLOURS = {"costs": "tab:red", "unclear": "tab:orange", "free": "tab:gray"}


def draw_pictures(inspection: Inspection, folder: Path) -> list[Path]:
    """Draw everything there is into ``folder``; the paths.

    Raises:
        MissingExtraError: matplotlib is not installed.
        OutputError: a file cannot be written.
    """
    paths = draw_wiring(drawable_circuit(inspection.controller), folder)
    paths += [folder / "activity.png", folder / "drives.png"]
    _save(_activity(inspection), folder / "activity.png")
    _save(_drives(inspection), folder / "drives.png")
    if inspection.effects.effects:
        paths.append(folder / "cuts.png")
        _save(_cuts(inspection), folder / "cuts.png")
    return paths


def _activity(inspection: Inspection) -> Any:
    """A row a neuron, coloured by how far it is from its mean; the actions below."""
    visited, controller = inspection.visited, inspection.controller
    length = min(int(visited.valid[0].sum()), MOST_STEPS)
    time_s = np.cumsum(visited.dt_s[0, :length]) - visited.dt_s[0, 0]
    potentials = visited.state[0, :length, state_columns(controller.cell)]
    mean = np.array([[own.mean] for own in inspection.neurons])
    std = np.array([[own.std] for own in inspection.neurons])
    rows, actions = len(inspection.neurons), len(controller.actions)
    figure = _figure(8.0, 1.4 + 0.22 * rows + 1.1 * actions)
    axes = figure.subplots(
        1 + actions, 1, sharex=True, squeeze=False, height_ratios=[0.22 * rows + 0.4, *[1.0] * actions]
    )[:, 0]
    image = axes[0].pcolormesh(
        time_s,
        np.arange(rows),
        (potentials - mean) / np.maximum(std, 1e-12),
        cmap="RdBu_r",
        vmin=-3.0,
        vmax=3.0,
        shading="nearest",
    )
    axes[0].set_yticks(np.arange(rows), [own.neuron.name for own in inspection.neurons], fontsize="small")
    axes[0].invert_yaxis()
    figure.colorbar(image, ax=axes[0], label="standard deviations\nfrom the mean", aspect=30)
    for m, (axis, signal) in enumerate(zip(axes[1:], controller.actions, strict=True)):
        axis.plot(
            time_s, visited.action[0, :length, m], color="tab:red", linewidth=1.1, drawstyle="steps-post"
        )
        axis.set_ylabel(f"{signal.name}\n[{signal.unit}]" if signal.unit else signal.name, fontsize="small")
        axis.grid(alpha=0.25)
    axes[-1].set_xlabel("time [s]")
    figure.suptitle("Neurons along the first episode", fontsize="medium")
    return figure


def _drives(inspection: Inspection) -> Any:
    """A panel an action: each source's share, by both measures."""
    controller, drives = inspection.controller, inspection.drives
    names = [*(signal.name for signal in controller.observations), EARLIER]
    actions = len(controller.actions)
    figure = _figure(7.0, 0.8 + actions * (0.9 + 0.26 * len(names)))
    for m, axis in enumerate(figure.subplots(actions, 1, squeeze=False)[:, 0]):
        place = np.arange(len(names))
        for offset, shares, label, colour in (
            (-0.2, drives.gradient_shares, "integrated gradients", "tab:blue"),
            (0.2, drives.perturbed_shares, "perturbation", "tab:orange"),
        ):
            axis.barh(place + offset, 100.0 * shares[:, m], 0.38, label=label, color=colour)
        axis.set_yticks(place, names, fontsize="small")
        axis.invert_yaxis()
        axis.set_xlabel(f"share in driving {controller.actions[m].name} [%]", fontsize="small")
        axis.grid(alpha=0.25, axis="x")
        if m == 0:
            axis.legend(fontsize="small", frameon=False)
    figure.suptitle("What drives each action", fontsize="medium")
    return figure


def _cuts(inspection: Inspection) -> Any:
    """Bars of what each cut loses with its interval, sorted; observations, neurons, synapses."""
    effects = sorted(inspection.effects.effects, key=lambda effect: -effect.lost)
    cost = sum(effect.verdict != "free" for effect in effects)
    effects = effects[: min(max(cost, LEAST_BARS), MOST_BARS)]
    gain = inspection.effects.gain
    unit = f"% of what it gains on {inspection.arena.nothing}" if gain > 0 else "as it is"
    scale = 100.0 / gain if gain > 0 else 1.0
    figure = _figure(8.0, 1.2 + 0.2 * len(effects))
    axis = figure.subplots()
    place = np.arange(len(effects))
    lost = np.array([effect.lost for effect in effects]) * scale
    low, high = np.array([effect.lost_ci95 for effect in effects]).T * scale
    axis.barh(place, lost, color=[COLOURS[effect.verdict] for effect in effects])
    axis.errorbar(lost, place, xerr=(lost - low, high - lost), fmt="none", ecolor="black", elinewidth=0.8)
    prefix = {Kind.OBSERVATION: "sensor ", Kind.NEURON: "", Kind.SYNAPSE: ""}
    axis.set_yticks(place, [f"{prefix[e.part.kind]}{e.part.name}" for e in effects], fontsize="x-small")
    axis.set_ylim(len(effects) - 0.4, -0.6)
    axis.set_xlabel(f"{inspection.arena.score} lost [{unit}]", fontsize="small")
    axis.grid(alpha=0.25, axis="x")
    for verdict in dict.fromkeys(effect.verdict for effect in effects):
        axis.barh(0, 0, color=COLOURS[verdict], label=verdict)
    axis.legend(fontsize="small", loc="lower right")
    rest = len(inspection.effects.effects) - len(effects)
    figure.suptitle(
        "What cutting each part costs" + (f"; {rest} that cost less are not drawn" if rest else ""),
        fontsize="medium",
    )
    return figure


def _figure(width: float, height: float) -> Any:
    return require("matplotlib.figure", "train").Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    write_atomically(path, buffer.getvalue())
