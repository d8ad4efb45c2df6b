"""cppcheck with its MISRA addon: what it finds in runtime, supervisor and generated sources, by rule number.

The numbers are those that the addon prints; what each rule says stands in a document that is not free.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assurance.building import call, write
from assurance.subjects import ROOT, RUNTIME, Subject

SUPERVISOR = ROOT / "firmware_examples" / "common" / "ltc_supervisor.c"
PAGE = ROOT / "docs" / "c-assurance.md"
SUPPRESSED = {
    "unusedFunction": "generated sources call a runtime's functions, and a program an interface's",
    "unusedStructMember": "a member of the parameter block that only its CRC reads",
    "shiftTooManyBitsSigned": "ltc_i16_arithmetic.h is an #error where such shifts do not round down",
    "missingIncludeSystem": "stdint.h is not needed to check what is here",
}
"""Findings of plain cppcheck that say nothing here, each with its reason."""

KINDS = ("ltc",)
"""Kinds whose sources are looked at: cppcheck needs long, and the others are made of the same lines."""

_ROW = re.compile(r"^\| (\d+\.\d+) \|", re.MULTILINE)


def lint(subjects: Iterable[Subject], folder: Path) -> dict[str, Any]:
    """Check runtime, supervisor and subjects; compares the rules found with the table of deviations.

    Returns:
        ``ok``, ``findings`` of plain cppcheck, ``rules`` found with how often and where first, and the rules
        that are ``undocumented`` or ``vanished``.

    Raises:
        InputError: cppcheck is not installed.
        CheckFailedError: it fails.
    """
    places = [write(subject.sources.files, folder / str(number)) for number, subject in enumerate(subjects)]
    # The runtime as one source: the addon takes longer to start than to look at a file of it.
    runtime = folder / "runtime.c"
    together = [*sorted(RUNTIME.glob("*.c")), SUPERVISOR]
    runtime.write_text("".join(f'#include "{file}"\n' for file in together))
    sources = [*(place / "subject.c" for place in places), runtime]
    report = folder / "report.xml"
    suppressions = [f"--suppress={name}" for name in SUPPRESSED]
    call(
        ["cppcheck", "--addon=misra", "--enable=all", "--std=c99", "--platform=unix64", "--xml",
         "--quiet", f"--output-file={report}", *suppressions, f"-I{RUNTIME}", f"-I{SUPERVISOR.parent}",
         *sources],
        folder,
    )  # fmt: skip
    findings: list[str] = []
    rules, where = Counter[str](), dict[str, str]()
    for error in ElementTree.parse(report).iter("error"):
        location = error.find("location")
        place = "" if location is None else f"{Path(location.get('file', '')).name}:{location.get('line')}"
        name = error.get("id", "")
        if name.startswith("misra-c2012-"):
            rule = name.removeprefix("misra-c2012-")
            rules[rule] += 1
            where.setdefault(rule, place)
        else:
            findings.append(f"{place}: {name}: {error.get('msg')}")
    findings = sorted(set(findings))
    documented = set(_ROW.findall(PAGE.read_text(encoding="utf-8"))) if PAGE.is_file() else set()
    undocumented, vanished = sorted(set(rules) - documented), sorted(documented - set(rules))
    return {
        "ok": not (findings or undocumented or vanished),
        "findings": findings,
        "rules": {rule: {"count": rules[rule], "first": where[rule]} for rule in sorted(rules)},
        "undocumented": undocumented,
        "vanished": vanished,
    }
