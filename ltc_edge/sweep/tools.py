"""Whether this machine has what a sweep will need, asked before hundreds of trials fail one by one."""

from __future__ import annotations

from collections.abc import Sequence

from ltc_edge.errors import InputError, require
from ltc_edge.export.formats import FORMATS
from ltc_edge.profiling.places import Local, Remote, find_place
from ltc_edge.runtimes.c_compiler import find_compiler
from ltc_edge.runtimes.cross_compiler import find_cross_compiler
from ltc_edge.runtimes.litert_runtime import interpreter_module
from ltc_edge.sweep.measurement import MeasurementPlan
from ltc_edge.sweep.objectives import OBJECTIVES
from ltc_edge.sweep.proxies import check_proxies
from ltc_edge.targets import find_target


def check_tools(plan: MeasurementPlan, formats: Sequence[str]) -> None:
    """Refuse a sweep that this machine cannot carry out.

    Args:
        plan: what will be measured.
        formats: names of the formats that are searched.

    Raises:
        InputError: a figure cannot be had of a format, or a target or device is none.
        MissingToolError: a compiler is not installed.
        MissingExtraError: an extra is not installed.
    """
    require("torch", "train")
    forms = [FORMATS[name] for name in formats]
    emulated = sorted(name for name in plan.wanted if OBJECTIVES[name].stage == "emulate")
    if emulated:
        for form in forms:
            if form.runtime != "c":
                raise InputError(
                    f"{form.name} runs on no {plan.target}, so it has no {emulated[0]}; leave it out of "
                    "--format, or the figure out of --objectives and --budget"
                )
        target = find_target(plan.target)
    if "p99_us" in plan.wanted and not isinstance(find_place(plan.device), Local | Remote):
        raise InputError(f"--device {plan.device}: steps are timed on local and ssh:// devices")
    if any(form.runtime == "litert" for form in forms):
        interpreter_module()
    if plan.proxy:
        # What confirms the candidates is looked for when there are some. Of cells each trial tells.
        for form in forms:
            check_proxies(plan, form.name, "ltc")
        return
    if any(form.runtime == "c" for form in forms):
        find_compiler()
    if emulated:
        find_cross_compiler(target)
        require("unicorn", "firmware")
        require("elftools", "firmware")
