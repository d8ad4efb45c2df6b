"""What the model card of a bundle of the zoo says beyond other bundles' cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GOOD = 0.95
"""Share of the way from doing nothing to the expert, from which on a controller does its task."""

Document = Mapping[str, Any]


def zoo_section(name: str, document: Document) -> str:
    """Markdown: how good it is and how sure that is, how it was trained, what it is for, its limits."""
    control = document["metric"] == "return"
    parts = [
        f"## In the zoo: {name}",
        *(f"**{each} is not there**: {reason}." for each, reason in document["refused"].items()),
        _return(document) if control else _metric(document),
        _seeds(document),
        *([_corruption(document["corruption"])] if control else []),
        "## Reproducing it",
        _reproducing(document),
        "## Intended use, and limits",
        _limits(document, control=control),
    ]
    return "\n\n".join(parts) + "\n"


def _return(document: Document) -> str:
    own, exact = document["score"], document["score_float64"]
    low, high = own["ci95"]
    share = own["normalised"]
    verdict = ""
    if share < GOOD:
        verdict = (
            f" **It does its task only in part**: that is {100 * share:.1f} % of the way from doing nothing "
            "to the expert."
        )
    return (
        f"Return in {document['format']}, mean over {own['episodes']} episodes from seed 0 on: "
        f"**{own['value']:.6g}** (95 % interval {low:.6g} to {high:.6g}, worst {own['worst']:.6g}); in "
        f"float64 {exact['value']:.6g}. On these episodes the expert, which sees the whole state, has "
        f"{own['expert']:.6g}, and doing nothing {own['zero']:.6g}.{verdict}"
    )


def _metric(document: Document) -> str:
    own, exact = document["score"], document["score_float64"]
    low, high = own["ci95"]
    return (
        f"Test {document['metric']} in {document['format']}: **{own['value']:.5g}** (95 % interval "
        f"{low:.5g} to {high:.5g}, by bootstrap over {own['windows']} windows, which are not quite "
        f"independent); in float64 {exact['value']:.5g}; a constant guess has "
        f"{own['baseline']:.5g}. Over {own['rows']} rows."
    )


def _seeds(document: Document) -> str:
    seeds = document["seeds"]
    rows = []
    for run in seeds["runs"]:
        taken = ", this one" if run["seed"] == seeds["chosen"] else ""
        if run.get("refused") is not None:
            taken += f", not verified in all formats ({run['refused']})"
        rows.append(f"| {run['seed']}{taken} | {run['validation']:.6g} | {run['value']:.6g} |")
    verified = "that verifies" + "".join(f", if not in {name}," for name in document["refused"])
    spread = "One seed tells nothing of how sure training is."
    if seeds["ci95"] is not None:
        low, high = seeds["ci95"]
        spread = (
            f"Over {len(seeds['runs'])} seeds {seeds['mean']:.6g} ± {seeds['std']:.3g}: mean and standard "
            f"deviation; 95 % interval of the mean {low:.6g} to {high:.6g} (Student's t). That is what a "
            "training can be expected to give."
        )
    return "\n".join(
        [
            f"Every training seed in float64; the best on validation {verified} was taken:",
            "",
            f"| training seed | validation | {document['metric']} |",
            "|---|---|---|",
            *rows,
            "",
            spread,
        ]
    )


def _corruption(corruption: Document) -> str:
    areas = ", ".join(f"{kind} {area['value']:.2f}" for kind, area in corruption["areas"].items())
    pack, episodes = corruption["pack"]["version"], corruption["episodes"]
    return (
        f"Corruption score **{corruption['area_mean']:.2f}**: the mean area under the severity curves of "
        f"pack {pack}, 1 being the uncorrupted expert and 0 doing nothing, in float64 over {episodes} "
        f"episodes. By kind: {areas}."
    )


def _reproducing(document: Document) -> str:
    made = document["made_with"]
    versions = ", ".join(
        f"{name} {version}" for name, version in made.items() if name not in ("machine", "kernels")
    )
    return (
        f"    {document['command']}\n\n"
        "gives the controller that `ltc-edge zoo get --controller` writes, bit for bit where the training "
        f"kernels take the same path (here {made['machine']}, {made['kernels']}) and the libraries are the "
        f"same ({versions}); elsewhere another controller, whose figures can be expected within the interval "
        "over seeds. The index of the zoo pins the SHA-256 of the controller and of this bundle."
    )


def _limits(document: Document, *, control: bool) -> str:
    start = (
        f"A start for a controller of one's own: run it as it is on `{document['task']}`, go on training it "
        "for what differs, or measure a board with it. "
    )
    if control:
        return (
            start + "It has only ever driven the simulation: on hardware it needs a supervisor "
            "(`ltc-edge run`), and the corruption score says what it forgives. It is not meant for people to "
            "depend on."
        )
    return (
        start + "It has only seen the recordings it was trained on: on others it says something, and it may "
        "be wrong. It is not meant for people to depend on."
    )
